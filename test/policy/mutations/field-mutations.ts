// More mistakes of a compiler of policy: a field that is forgotten or taken for another, kind by kind, and expressions of the table.
import type { Mutation } from './mutated-import.ts';

export const fieldMutations: readonly Mutation[] = [
  // Rules of Calico's policies.
  {
    says: 'the protocol is forgotten',
    file: 'policy/calico/rule.ts',
    find: '...(isGiven(rule.protocol) && { protocol: readProtocol(rule.protocol) }),',
    replace: '...(rule.icmp && { protocol: 1 }),',
  },
  {
    says: 'nets are forgotten',
    file: 'policy/calico/rule.ts',
    find: '...(nets?.length && { nets: nets.map(readNet) }),',
    replace: '',
  },
  {
    says: 'the type of an ICMP message is forgotten',
    file: 'policy/calico/rule.ts',
    find: '...(rule.icmp?.type !== undefined && { icmp: { ...rule.icmp, type: rule.icmp.type } }),',
    replace: '',
  },
  {
    says: 'the code of an ICMP message is forgotten',
    file: 'policy/calico/rule.ts',
    find: '{ icmp: { ...rule.icmp, type: rule.icmp.type } }',
    replace: '{ icmp: { type: rule.icmp.type } }',
  },
  {
    says: 'the code of an excluded ICMP message is forgotten',
    file: 'policy/calico/rule.ts',
    find: '{ notIcmp: { ...rule.notICMP, type: rule.notICMP.type } }',
    replace: '{ notIcmp: { type: rule.notICMP.type } }',
  },
  {
    says: 'numbers beside names in a list of ports are forgotten',
    file: 'policy/calico/rule.ts',
    find: '...(ranges.length > 0 ? [{ ...who, ports: ranges }] : []),',
    replace: '...(ranges.length > 0 && names.length === 0 ? [{ ...who, ports: ranges }] : []),',
  },
  {
    says: 'names in a list of ports are forgotten',
    file: 'policy/calico/rule.ts',
    find: '...names.map((namedPort, index) => ({ ...who, ...(isOnce && others(index)), namedPort, ...ofNames })),',
    replace: '',
  },
  {
    says: 'a named port without a protocol is one of any protocol',
    file: 'policy/calico/rule.ts',
    find: 'namedPort, ...ofNames }))',
    replace: 'namedPort }))',
  },
  {
    says: 'an excluded named port without a protocol is one of any protocol',
    file: 'policy/calico/rule.ts',
    find: '{ notNamedPorts: notPorts.names, ...ofNames }',
    replace: '{ notNamedPorts: notPorts.names }',
  },
  {
    says: 'a named port of UDP is one of TCP',
    file: 'calc/compile-policy.ts',
    find: 'protocol ?? namedPortProtocol',
    replace: 'protocol && 6',
  },
  {
    says: 'the destination is read as the source is',
    file: 'policy/calico/rule.ts',
    find: 'peersOf(rule.destination)',
    replace: 'peersOf(rule.source)',
  },
  {
    says: 'a selector of service accounts reads the labels of endpoints',
    file: 'policy/calico/scope.ts',
    find: 'prefixLabels(parseSelector(accounts.selector), serviceAccountLabelPrefix)',
    replace: 'parseSelector(accounts.selector)',
  },
  {
    says: 'a namespace selector means what belongs to no namespace, too',
    file: 'policy/calico/scope.ts',
    find: 'return [namespaced, prefixLabels(',
    replace: 'return [prefixLabels(',
  },
  {
    says: 'a selector of service accounts means whoever has none, too',
    file: 'policy/calico/scope.ts',
    find: "      { kind: 'has', label: serviceAccountLabelPrefix + nameLabel },\n",
    replace: '',
  },
  // Calico's policies.
  {
    says: 'the order of a policy is forgotten',
    file: 'policy/calico/network-policy.ts',
    find: 'order: spec.order,',
    replace: 'order: undefined,',
  },
  {
    says: 'the tier of a policy is forgotten',
    file: 'policy/calico/network-policy.ts',
    find: 'tier: spec.tier || defaultTier.name,',
    replace: 'tier: defaultTier.name,',
  },
  {
    says: 'the namespace selector of a global policy is forgotten',
    file: 'policy/calico/network-policy.ts',
    find: "...('namespaceSelector' in spec && { namespaceSelector: spec.namespaceSelector }),",
    replace: '',
  },
  {
    says: 'types that a policy names are forgotten',
    file: 'policy/calico/network-policy.ts',
    find: 'if (types?.length) return types;',
    replace: '',
  },
  {
    says: 'a tier that nobody has defined passes',
    file: 'calc/policies.ts',
    find: "defaultAction: 'Deny', isMissing: true",
    replace: "defaultAction: 'Pass', isMissing: true",
  },
  // Kubernetes' policies.
  {
    says: 'types that a policy of Kubernetes names are forgotten',
    file: 'policy/kubernetes/network-policy.ts',
    find: 'const types = spec.policyTypes?.length',
    replace: 'const types = spec.policyTypes === null',
  },
  {
    says: 'a port without a number means no port',
    file: 'policy/kubernetes/network-policy.ts',
    find: 'if (port === undefined) entry.every = true;',
    replace: 'if (port === undefined) continue;',
  },
  {
    says: 'a port without a protocol is one of UDP',
    file: 'policy/kubernetes/network-policy.ts',
    find: "protocolNumber(name || 'TCP')",
    replace: "protocolNumber(name || 'UDP')",
  },
  {
    says: 'DoesNotExist demands that the label is there',
    file: 'policy/kubernetes/label-selector.ts',
    find: "return { kind: 'not', operand: { kind: 'has', label } };",
    replace: "return { kind: 'has', label };",
  },
  {
    says: 'matchLabels are forgotten',
    file: 'policy/kubernetes/label-selector.ts',
    find: 'return and(all, ...equalities, ...expressions);',
    replace: 'return and(all, ...expressions);',
  },
  // ClusterNetworkPolicies.
  {
    says: 'the priority of a ClusterNetworkPolicy is forgotten',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: 'order: spec.priority,',
    replace: 'order: undefined,',
  },
  {
    says: 'the namespaces of a subject of pods are forgotten',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: '    fromLabelSelector(namespaceSelector, namespaceLabelPrefix),\n    fromLabelSelector(podSelector),',
    replace: '    fromLabelSelector(podSelector),',
  },
  {
    says: 'the pods of a subject are forgotten',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: '    fromLabelSelector(namespaceSelector, namespaceLabelPrefix),\n    fromLabelSelector(podSelector),',
    replace: '    fromLabelSelector(namespaceSelector, namespaceLabelPrefix),',
  },
  {
    says: 'peers that are nodes are looked for among pods',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: 'if (nodes) return { nodes: fromLabelSelector(nodes) };',
    replace: 'if (nodes) return { selector: fromLabelSelector(nodes) };',
  },
  {
    says: 'only the first network of a peer counts',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: 'nets: networks.map((text) => {',
    replace: 'nets: networks.slice(0, 1).map((text) => {',
  },
  {
    says: 'UDP is taken for TCP',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: "    ['UDP', wanted.udp],",
    replace: "    ['TCP', wanted.udp],",
  },
  {
    says: 'named ports of a ClusterNetworkPolicy are looked for among host endpoints, too',
    file: 'policy/kubernetes/cluster-network-policy.ts',
    find: 'const owners = port.namedPort === undefined ? {} : { selector: pods };',
    replace: 'const owners = {};',
  },
  // Profiles, service accounts and services.
  {
    says: 'the profile of a namespace allows nothing',
    file: 'calc/cluster-endpoints.ts',
    find: "afterTiers: this.#namespaces.get(workload.namespace) ? 'Allow' : 'Deny',",
    replace: "afterTiers: 'Deny',",
  },
  {
    says: 'labels of service accounts are not inherited',
    file: 'calc/cluster-endpoints.ts',
    find: '[this.#namespaces.get(namespace), this.#serviceAccounts.get(account)]',
    replace: '[this.#namespaces.get(namespace)]',
  },
  {
    says: 'nobody inherits a name',
    file: 'calc/inherited-labels.ts',
    find: 'prefixed.set(this.#prefix + this.#nameLabel, name);',
    replace: '',
  },
  {
    says: 'a container port without a protocol is one of UDP',
    file: 'policy/endpoint.ts',
    find: "protocolNumber(protocol ?? 'TCP')",
    replace: "protocolNumber(protocol ?? 'UDP')",
  },
  {
    says: 'a port of a service without a protocol is one of UDP',
    file: 'policy/kubernetes/service-endpoints.ts',
    find: "protocol = 'TCP', port }",
    replace: "protocol = 'UDP', port }",
  },
  {
    says: 'the first excluded named port is forgotten',
    file: 'calc/compile-policy.ts',
    find: 'notNamedPorts.map((name)',
    replace: 'notNamedPorts.slice(1).map((name)',
  },
  {
    says: 'a service as source is forgotten',
    file: 'calc/compile-policy.ts',
    find: "...(source.service && { set: acquire({ selector: slicesOf(source.service), of: 'services' }) }),",
    replace: '',
  },
  // Selectors.
  {
    says: 'not in demands that the label is there',
    file: 'selector/selector.ts',
    find: 'return !isOneOf(labels.get(selector.label), selector.values);',
    replace:
      'return labels.get(selector.label) !== undefined && !isOneOf(labels.get(selector.label), selector.values);',
  },
  {
    says: 'or is taken for and',
    file: 'selector/selector.ts',
    find: 'selector.operands.some((operand)',
    replace: 'selector.operands.every((operand)',
  },
  // The table.
  {
    says: 'a range of ports is open at its lower end',
    file: 'dataplane/nftables/matches.ts',
    find: "compare('>=', only.first)",
    replace: "compare('>=', only.first + 1)",
  },
  {
    says: 'a single excluded net is taken for a wanted one',
    file: 'dataplane/nftables/matches.ts',
    find: "{ kind: 'cmp', comparison, register, value: networkBytes(only) }",
    replace: "{ kind: 'cmp', comparison: '==', register, value: networkBytes(only) }",
  },
  {
    says: 'excluded nets of one family leave the other open',
    file: 'dataplane/nftables/matches.ts',
    find: '[nets, notNets].every(',
    replace: '[nets].every(',
  },
  {
    says: 'several excluded nets are taken for wanted ones',
    file: 'dataplane/nftables/matches.ts',
    find: "invert: comparison === '!='",
    replace: 'invert: false',
  },
  {
    says: 'excluded named ports are taken for wanted ones',
    file: 'dataplane/nftables/matches.ts',
    find: 'portSetMatch(addressSetName(id, family), side, family, context.view, true)',
    replace: 'portSetMatch(addressSetName(id, family), side, family, context.view, false)',
  },
  {
    says: 'an excluded set is taken for a wanted one',
    file: 'dataplane/nftables/matches.ts',
    find: 'placesOf(notSet).flatMap((place) => [address, isIn(place, true)])',
    replace: 'placesOf(notSet).flatMap((place) => [address, isIn(place)])',
  },
  {
    says: 'the negation of a protocol is lost in the table',
    file: 'dataplane/nftables/matches.ts',
    find: "isProtocol('!=', notProtocol, view)",
    replace: "isProtocol('==', notProtocol, view)",
  },
  {
    says: 'the families are exchanged',
    file: 'dataplane/nftables/matches.ts',
    find: 'Uint8Array.of(family === 4 ? 2 : 10)',
    replace: 'Uint8Array.of(family === 4 ? 10 : 2)',
  },
  {
    says: 'passing is not noted',
    file: 'dataplane/nftables/pass.ts',
    find: 'return writeBits(marks, 0, passBit);',
    replace: 'return writeBits(marks, passBit, 0);',
  },
  {
    says: 'what was noted of passing is not taken off',
    file: 'dataplane/nftables/pass.ts',
    find: '...writeBits(marks, passBit, 0), goTo(chain)',
    replace: 'goTo(chain)',
  },
  {
    says: 'a rule that denies goes on to the next policy',
    file: 'dataplane/nftables/policy-chains.ts',
    find: 'return [denied];',
    replace: "return [verdict('return')];",
  },
  {
    says: 'a rule that logs drops',
    file: 'dataplane/nftables/policy-chains.ts',
    find: 'return log();',
    replace: "return [...log(), verdict('drop')];",
  },
  {
    says: 'profiles deny what tiers leave undecided',
    file: 'dataplane/nftables/endpoint-chains.ts',
    find: "endpoint.afterTiers === 'Allow' ?",
    replace: "endpoint.afterTiers === 'Deny' ?",
  },
  {
    says: 'what leaves a pod is judged as what comes to it',
    file: 'dataplane/nftables/endpoint-chains.ts',
    find: 'const chain = tierChain(interfaceName, direction, 0);',
    replace: "const chain = tierChain(interfaceName, 'ingress', 0);",
  },
];
