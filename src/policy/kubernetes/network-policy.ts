// networking.k8s.io/v1 NetworkPolicy as a policy of the rule tree. Source of the semantics:
// https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
import { mergeRanges, protocolNumber, type Range, tryParseCidr } from '../../net/index.ts';
import type { KubernetesNetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../resources/index.ts';
import { and, type Selector } from '../../selector/index.ts';
import type { ConvertedPolicy } from '../converted-policy.ts';
import { bothDirections, knownDirections } from '../directions.ts';
import { namespaceLabel, namespaceLabelPrefix, orchestratorLabel } from '../labels.ts';
import {
  defaultTier,
  kubernetesPolicyOrder,
  type Match,
  type PeerMatch,
  type Policy,
  type Rule,
} from '../model.ts';
import { Parts } from '../parts.ts';
import { fromLabelSelector } from './label-selector.ts';

const pods: Selector = { kind: '==', label: orchestratorLabel, value: 'k8s' };
const inSomeNamespace: Selector = { kind: 'has', label: namespaceLabel };

/** Never throws: what cannot be understood allows nothing, and a policy whose own selector is such selects its whole namespace. */
export function fromKubernetesNetworkPolicy(object: KubernetesNetworkPolicy): ConvertedPolicy {
  const parts = new Parts();
  const namespace = object.metadata.namespace ?? 'default';
  const spec = object.spec ?? {};
  const own: Selector = { kind: '==', label: namespaceLabel, value: namespace };
  const chosen = parts.attempt(
    'spec.podSelector',
    () => fromLabelSelector(spec.podSelector ?? {}),
    undefined,
  );
  // An empty list of types is what an absent one is: the API server fills both in.
  const types = spec.policyTypes?.length
    ? spec.policyTypes
    : spec.egress?.length
      ? ['Ingress', 'Egress']
      : ['Ingress'];
  const directions = parts.attempt('spec.policyTypes', () => knownDirections(types), bothDirections);
  const rules = <T extends { ports?: NetworkPolicyPort[] }>(
    path: string,
    list: readonly T[] | undefined,
    peersOf: (rule: T) => NetworkPolicyPeer[] | undefined,
    side: 'source' | 'destination',
  ) =>
    (list ?? []).flatMap((rule, index) =>
      parts.attempt(
        `${path}[${index}]`,
        () => rulesOf(`${path}[${index}]`, side, namespace, peersOf(rule), rule.ports),
        [] as Rule[],
      ),
    );
  const policy: Policy = {
    id: { kind: 'KubernetesNetworkPolicy', namespace, name: object.metadata.name },
    tier: defaultTier.name,
    order: kubernetesPolicyOrder,
    selector: and(own, pods, ...(chosen ? [chosen] : [])),
    ...(directions.includes('Ingress') && {
      ingress: rules('spec.ingress', spec.ingress, (rule) => rule.from, 'source'),
    }),
    ...(directions.includes('Egress') && {
      egress: rules('spec.egress', spec.egress, (rule) => rule.to, 'destination'),
    }),
  };
  return { policy, faults: parts.faults };
}

/** Every pairing of a peer with a protocol's ports is one rule; no peers means every peer, no ports means every port. */
function rulesOf(
  path: string,
  side: 'source' | 'destination',
  namespace: string,
  peers: readonly NetworkPolicyPeer[] | undefined,
  ports: readonly NetworkPolicyPort[] | undefined,
): Rule[] {
  const list = side === 'source' ? 'from' : 'to';
  const whos: { origin: string; peer?: PeerMatch }[] = peers?.length
    ? peers.map((peer, index) => ({ origin: `${path}.${list}[${index}]`, peer: peerMatch(peer, namespace) }))
    : [{ origin: path }];
  const whats = portMatches(ports);
  return whos.flatMap(({ origin, peer }) =>
    whats.map(({ protocol, ...port }): Rule => {
      // Whoever else gives names to ports, as host endpoints do, is not meant.
      const owners = port.namedPort === undefined ? {} : { selector: and(inSomeNamespace, pods) };
      const destination = side === 'destination' ? { ...owners, ...peer, ...port } : port;
      const match: Match = {
        ...(protocol !== undefined && { protocol }),
        ...(side === 'source' && peer && { source: peer }),
        ...(Object.keys(destination).length > 0 && { destination }),
      };
      return { action: 'Allow', match, origin };
    }),
  );
}

function peerMatch(peer: NetworkPolicyPeer, namespace: string): PeerMatch {
  if (peer.ipBlock) {
    const notNets = (peer.ipBlock.except ?? []).map(cidr);
    return { nets: [cidr(peer.ipBlock.cidr)], ...(notNets.length > 0 && { notNets }) };
  }
  if (!peer.podSelector && !peer.namespaceSelector)
    throw new RangeError('a peer names neither pods nor a block');
  const where: Selector = peer.namespaceSelector
    ? and(inSomeNamespace, fromLabelSelector(peer.namespaceSelector, namespaceLabelPrefix))
    : { kind: '==', label: namespaceLabel, value: namespace };
  return { selector: and(where, pods, fromLabelSelector(peer.podSelector ?? {})) };
}

function cidr(text: string) {
  const parsed = tryParseCidr(text);
  if (!parsed) throw new RangeError(`"${text}" is not a CIDR`);
  return parsed;
}

interface PortMatch {
  readonly protocol?: number;
  readonly ports?: readonly Range<number>[];
  readonly namedPort?: string;
}

/** Per protocol one match for all its numbers and one for each name; nothing at all when every port is meant. */
function portMatches(ports: readonly NetworkPolicyPort[] | undefined): PortMatch[] {
  if (!ports?.length) return [{}];
  const byProtocol = new Map<number, { ranges: Range<number>[]; names: Set<string>; every: boolean }>();
  for (const { protocol: name, port, endPort } of ports) {
    const protocol = protocolNumber(name || 'TCP');
    if (protocol === undefined) throw new RangeError(`"${name}" is not a protocol`);
    const entry = byProtocol.get(protocol) ?? { ranges: [], names: new Set<string>(), every: false };
    byProtocol.set(protocol, entry);
    if (port === undefined) entry.every = true;
    else if (typeof port === 'string') entry.names.add(port);
    else entry.ranges.push(portRange(port, endPort));
  }
  return [...byProtocol]
    .sort(([a], [b]) => a - b)
    .flatMap(([protocol, { ranges, names, every }]): PortMatch[] => {
      if (every) return [{ protocol }];
      const numeric = ranges.length > 0 ? [{ protocol, ports: mergeRanges(ranges) }] : [];
      return [...numeric, ...[...names].sort().map((namedPort) => ({ protocol, namedPort }))];
    });
}

function portRange(first: number, last = first): Range<number> {
  const isPort = (value: number) => Number.isInteger(value) && value >= 0 && value <= 65535;
  if (!isPort(first) || !isPort(last) || last < first)
    throw new RangeError(`ports ${first} to ${last} are no range`);
  return { first, last };
}
