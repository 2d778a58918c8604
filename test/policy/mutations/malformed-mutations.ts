// Mistakes about what no API takes and a store may hold all the same: what the compiler would have to refuse, it believes.
import type { Mutation } from './mutated-import.ts';

export const malformedMutations: readonly Mutation[] = [
  {
    says: 'an action that there is not goes through',
    file: 'policy/calico/rule.ts',
    find: 'if (!actions.has(rule.action))',
    replace: 'if (false)',
  },
  {
    says: 'a protocol has the name of whatever every object has',
    file: 'net/protocol.ts',
    find: 'Object.hasOwn(numbers, protocol) ? numbers[protocol as ProtocolName] : undefined',
    replace: 'numbers[protocol as ProtocolName]',
  },
  {
    says: 'a protocol that there is not is any protocol',
    file: 'policy/calico/rule.ts',
    find: 'if (number === undefined) throw',
    replace: 'if (false) throw',
  },
  {
    says: 'a version of IP that there is not is the sixth',
    file: 'policy/calico/rule.ts',
    find: 'if (version === 4 || version === 6) return version;',
    replace: 'return version === 4 ? 4 : 6;',
  },
  {
    says: 'types and codes of ICMP are not looked at',
    file: 'policy/calico/rule.ts',
    find: 'for (const message of [rule.icmp, rule.notICMP]) refuseNoOctets(message);',
    replace: '',
  },
  {
    says: 'a type of ICMP goes with any protocol',
    file: 'policy/calico/rule.ts',
    find: 'if (common.icmp && common.protocol !== 1 && common.protocol !== 58)',
    replace: 'if (false)',
  },
  {
    says: 'numbers of ports go without a protocol',
    file: 'policy/calico/rule.ts',
    find: 'if (ports.length > 0 && !isSayable)',
    replace: 'if (false)',
  },
  {
    says: 'a port beyond the last one is one',
    file: 'policy/calico/ports.ts',
    find: 'if (first > last || last > 65535)',
    replace: 'if (first > last)',
  },
  {
    says: 'what is no net is left out of the list',
    file: 'policy/calico/rule.ts',
    find: '...(nets?.length && { nets: nets.map(readNet) }),',
    replace: '...(nets?.length && { nets: nets.filter(tryParseNet).map(readNet) }),',
  },
  {
    says: 'what is no excluded net is left out of the list',
    file: 'policy/calico/rule.ts',
    find: '...(notNets?.length && { notNets: notNets.map(readNet) }),',
    replace: '...(notNets?.length && { notNets: notNets.filter(tryParseNet).map(readNet) }),',
  },
  {
    says: 'what stands beside a service is not looked at',
    file: 'policy/calico/rule.ts',
    find: 'if (other) throw',
    replace: 'if (false) throw',
  },
  {
    says: 'a direction that there is not is none',
    file: 'policy/directions.ts',
    find: 'if (unknown === undefined) return types;',
    replace: 'return types;',
  },
  {
    says: 'a policy that is to be in two places is in neither',
    file: 'policy/calico/network-policy.ts',
    find: "() => stageOf(spec), 'untracked')",
    replace: '() => stageOf(spec), undefined)',
  },
  {
    says: 'a policy whose selector cannot be understood selects all that has no namespace',
    file: 'policy/calico/network-policy.ts',
    find: 'namespace === undefined ? all : scopeSelector({ namespace }),',
    replace:
      "namespace === undefined ? scopeSelector({ namespace, namespaceSelector: 'global()' }) : scopeSelector({ namespace }),",
  },
  {
    says: 'a newline is a gap',
    file: 'selector/tokenize.ts',
    find: 'const spaces = /[ \\t]*/y;',
    replace: 'const spaces = /[ \\t\\n]*/y;',
  },
  {
    says: 'domains are nobody',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: "if (domainNames) throw new RangeError('domain names cannot be matched in the kernel');",
    replace: "if (domainNames) return { selector: and(pods, { kind: 'not', operand: pods }) };",
  },
  {
    says: 'an action of a ClusterNetworkPolicy that there is not is to pass',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: 'Object.hasOwn(actions, rule.action) ? actions[rule.action] : undefined;',
    replace: "Object.hasOwn(actions, rule.action) ? actions[rule.action] : 'Pass';",
  },
  {
    says: 'a rule of a ClusterNetworkPolicy without peers is about nobody',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: "if (!peers?.length) throw new RangeError('names no peer');",
    replace: 'if (!peers?.length) return [];',
  },
  {
    says: 'a peer without networks is anybody',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: "if (networks.length === 0) throw new RangeError('names no network');",
    replace: 'if (networks.length === 0) return {};',
  },
  {
    says: 'a protocol of a ClusterNetworkPolicy that is not named is any',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: "throw new RangeError('names no protocol');",
    replace: 'return [{}];',
  },
  {
    says: 'ports of a ClusterNetworkPolicy that there are not are any',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: '    throw new RangeError(`',
    replace: '    return { first: 0, last: 65535 };\n  if (false) throw new RangeError(`',
  },
  {
    says: 'an operator of a label selector that there is not says nothing',
    file: 'policy/kubernetes/label-selector.ts',
    find: 'default:\n        throw',
    replace: 'default:\n        return all;\n        throw',
  },
  {
    says: 'a label selector without values says nothing',
    file: 'policy/kubernetes/label-selector.ts',
    find: 'throw new RangeError(`a label',
    replace: 'return all;\n      throw new RangeError(`a label',
  },
  {
    says: 'a ClusterNetworkPolicy whose subject cannot be understood is about nobody',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: 'selector: subject ?? pods,',
    replace: "selector: subject ?? and(pods, { kind: 'not', operand: pods }),",
  },
  {
    says: 'a ClusterNetworkPolicy whose subject cannot be understood accepts everybody that its rules do',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: 'subject ? list : list.flatMap(withoutSubject)',
    replace: 'list',
  },
  {
    says: 'what is no net takes the others of a network set along',
    file: 'policy/calico/network-set.ts',
    find: 'if (!net) faults.push(',
    replace: 'if (!net) nets.clear(), addresses.clear(), faults.push(',
  },
  {
    says: 'the number of a protocol gives no name to a port of a host endpoint',
    file: 'policy/calico/host-endpoint.ts',
    find: 'protocolNumber(/^\\d+$/.test(String(protocol)) ? Number(protocol) : protocol)',
    replace: 'protocolNumber(String(protocol))',
  },
  {
    says: 'an expected address that is a block stands for the first of it',
    file: 'policy/calico/host-endpoint.ts',
    find: 'const address = tryParseAddress(text);',
    replace: "const address = tryParseAddress(text.split('/')[0]?.replace(/0$/, '11') ?? '');",
  },
];
