// Rules of Kubernetes' NetworkPolicy, read beside
// https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
import type {
  KubernetesNetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '../../resources/index.ts';
import { isWithin } from './address.ts';
import type { Packet, Side } from './cluster.ts';
import { type Entity, givesName, selects } from './entity.ts';

export function directionsOf({ spec }: KubernetesNetworkPolicy): Side[] {
  // A word that is no direction may have meant either.
  if (spec?.policyTypes?.some((type) => type !== 'Ingress' && type !== 'Egress'))
    return ['ingress', 'egress'];
  if (spec?.policyTypes?.length)
    return spec.policyTypes.map((type) => (type === 'Ingress' ? 'ingress' : 'egress'));
  return spec?.egress?.length ? ['ingress', 'egress'] : ['ingress'];
}

/** Of a rule that can be understood. */
export function kubernetesRuleHolds(
  rule: NetworkPolicyIngressRule & NetworkPolicyEgressRule,
  namespace: string | undefined,
  side: Side,
  packet: Packet,
  entities: readonly Entity[],
): boolean {
  const peers = (side === 'ingress' ? rule.from : rule.to) ?? [];
  const other = side === 'ingress' ? packet.source : packet.destination;
  const pods = entities.filter(({ kind }) => kind === 'pod');
  return (
    (peers.length === 0 || peers.some((peer) => peerIs(peer, namespace, other, pods))) &&
    (!rule.ports?.length || rule.ports.some((port) => portIs(port, packet, pods)))
  );
}

function peerIs(
  peer: NetworkPolicyPeer,
  namespace: string | undefined,
  address: string,
  pods: readonly Entity[],
): boolean {
  if (peer.ipBlock) {
    const { cidr, except } = peer.ipBlock;
    return isWithin(address, cidr) && !(except ?? []).some((hole) => isWithin(address, hole));
  }
  const pod = pods.find((candidate) => candidate.has(address));
  if (!pod) return false;
  if (peer.podSelector && !selects(peer.podSelector, pod.allLabels)) return false;
  return peer.namespaceSelector
    ? selects(peer.namespaceSelector, pod.namespaceLabels)
    : pod.namespace === namespace;
}

function portIs(wanted: NetworkPolicyPort, packet: Packet, pods: readonly Entity[]): boolean {
  if ((wanted.protocol || 'TCP') !== packet.protocol) return false;
  const { port: name } = wanted;
  if (name === undefined) return true;
  const actual = packet.destinationPort;
  if (actual === undefined) return false;
  if (typeof name === 'number') return name <= actual && actual <= (wanted.endPort ?? name);
  return pods.some((pod) => pod.has(packet.destination) && givesName(pod, name, actual, packet.protocol));
}
