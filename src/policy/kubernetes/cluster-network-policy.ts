// ClusterNetworkPolicy as a policy of the rule tree: in a tier of its own before everything else, or after it.
// Source of the semantics: https://network-policy-api.sigs.k8s.io/api-overview/
import { protocolNumber, type Range, tryParseCidr } from '../../net/index.ts';
import type {
  ClusterNetworkPolicy,
  ClusterNetworkPolicyPeer,
  ClusterNetworkPolicyProtocol,
  ClusterNetworkPolicyRule,
  ClusterNetworkPolicySubject,
} from '../../resources/index.ts';
import { and, type Selector } from '../../selector/index.ts';
import type { ConvertedPolicy } from '../converted-policy.ts';
import { namespaceLabel, namespaceLabelPrefix, orchestratorLabel } from '../labels.ts';
import type { Match, PeerMatch, Policy, Rule } from '../model.ts';
import { Parts } from '../parts.ts';
import { fromLabelSelector } from './label-selector.ts';

const pods: Selector = and(
  { kind: 'has', label: namespaceLabel },
  { kind: '==', label: orchestratorLabel, value: 'k8s' },
);
const tiers = { Admin: 'kube-admin', Baseline: 'kube-baseline' } as const;
const actions = { Accept: 'Allow', Deny: 'Deny', Pass: 'Pass' } as const;

/**
 * Never throws. A rule that cannot be understood denies everything, unless it would have accepted: then it is left out.
 * A policy whose subject cannot be understood selects everybody, and accepts nothing.
 */
export function fromClusterNetworkPolicy({ metadata, spec }: ClusterNetworkPolicy): ConvertedPolicy {
  const parts = new Parts();
  const rules = (path: string, list: readonly ClusterNetworkPolicyRule[], side: 'source' | 'destination') =>
    list.flatMap((rule, index) =>
      parts.attempt(
        `${path}[${index}]`,
        () => rulesOf(rule, `${path}[${index}]`, side),
        closed(rule, `${path}[${index}]`),
      ),
    );
  const subject = parts.attempt('spec.subject', () => subjectSelector(spec.subject), undefined);
  const meant = (list: readonly Rule[]) => (subject ? list : list.flatMap(withoutSubject));
  const policy: Policy = {
    id: { kind: 'KubernetesClusterNetworkPolicy', name: metadata.name },
    tier: parts.attempt('spec.tier', () => tierOf(spec.tier), tiers.Admin),
    order: spec.priority,
    selector: subject ?? pods,
    ...(spec.ingress?.length && { ingress: meant(rules('spec.ingress', spec.ingress, 'source')) }),
    ...(spec.egress?.length && { egress: meant(rules('spec.egress', spec.egress, 'destination')) }),
  };
  return { policy, faults: parts.faults };
}

function tierOf(name: keyof typeof tiers): string {
  if (Object.hasOwn(tiers, name)) return tiers[name];
  throw new RangeError(
    `"${name}" is neither "Admin" nor "Baseline"; the policy comes before all tiers of others`,
  );
}

function subjectSelector({ namespaces, pods: chosen }: ClusterNetworkPolicySubject): Selector {
  if (namespaces) return and(pods, fromLabelSelector(namespaces, namespaceLabelPrefix));
  if (!chosen) throw new RangeError('names neither namespaces nor pods');
  const { namespaceSelector = {}, podSelector = {} } = chosen;
  return and(
    pods,
    fromLabelSelector(namespaceSelector, namespaceLabelPrefix),
    fromLabelSelector(podSelector),
  );
}

function rulesOf(rule: ClusterNetworkPolicyRule, origin: string, side: 'source' | 'destination'): Rule[] {
  const action = Object.hasOwn(actions, rule.action) ? actions[rule.action] : undefined;
  if (!action) throw new RangeError(`"${rule.action}" is not an action`);
  const peers = side === 'source' ? rule.from : rule.to;
  if (!peers?.length) throw new RangeError('names no peer');
  const protocols = rule.protocols?.length ? rule.protocols.flatMap(protocolMatches) : [{}];
  const list = side === 'source' ? 'from' : 'to';
  return peers.flatMap((peer, index) => {
    const who = peerMatch(peer);
    return protocols.map(({ protocol, ...port }): Rule => {
      // Whoever else gives names to ports, as host endpoints do, is not meant.
      const owners = port.namedPort === undefined ? {} : { selector: pods };
      const destination = side === 'destination' ? { ...owners, ...who, ...port } : port;
      const match: Match = {
        ...(protocol !== undefined && { protocol }),
        ...(side === 'source' && { source: who }),
        ...(Object.keys(destination).length > 0 && { destination }),
      };
      return { action, match, origin: `${origin}.${list}[${index}]` };
    });
  });
}

function peerMatch({ nodes, networks, domainNames, ...subject }: ClusterNetworkPolicyPeer): PeerMatch {
  if (domainNames) throw new RangeError('domain names cannot be matched in the kernel');
  if (networks) {
    if (networks.length === 0) throw new RangeError('names no network');
    return {
      nets: networks.map((text) => {
        const cidr = tryParseCidr(text);
        if (!cidr) throw new RangeError(`"${text}" is not a CIDR`);
        return cidr;
      }),
    };
  }
  if (nodes) return { nodes: fromLabelSelector(nodes) };
  return { selector: subjectSelector(subject) };
}

interface PortMatch {
  readonly protocol?: number;
  readonly ports?: readonly Range<number>[];
  readonly namedPort?: string;
}

function protocolMatches(wanted: ClusterNetworkPolicyProtocol): PortMatch[] {
  const { destinationNamedPort: namedPort } = wanted;
  // The name alone says which port, of whichever protocol it is.
  if (namedPort) return [{ namedPort }];
  for (const [name, match] of [
    ['TCP', wanted.tcp],
    ['UDP', wanted.udp],
    ['SCTP', wanted.sctp],
  ] as const) {
    if (!match) continue;
    const { number, range } = match.destinationPort ?? {};
    const protocol = numberOf(name);
    if (number !== undefined) return [{ protocol, ports: [portRange(number, number)] }];
    if (range) return [{ protocol, ports: [portRange(range.start, range.end)] }];
    return [{ protocol }];
  }
  throw new RangeError('names no protocol');
}

/** @throws RangeError for what is no range of ports */
function portRange(first: number, last: number): Range<number> {
  if (first < 0 || first > last || last > 65535)
    throw new RangeError(`${first}-${last} is no range of ports`);
  return { first, last };
}

function numberOf(name: string): number {
  return protocolNumber(name) ?? 0;
}

/** Of whom it does not say for whom it is: passing would spare others the tiers' later denials. */
function withoutSubject(rule: Rule): Rule[] {
  return rule.action === 'Allow' ? [] : [{ ...rule, action: 'Deny' }];
}

function closed({ action }: ClusterNetworkPolicyRule, origin: string): Rule[] {
  return action === 'Accept' ? [] : [{ action: 'Deny', match: {}, origin }];
}
