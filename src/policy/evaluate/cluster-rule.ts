// Rules of ClusterNetworkPolicy, read beside https://network-policy-api.sigs.k8s.io/api-overview/
import type {
  ClusterNetworkPolicyPeer,
  ClusterNetworkPolicyProtocol,
  ClusterNetworkPolicyRule,
  ClusterNetworkPolicySubject,
} from '../../resources/index.ts';
import { isWithin } from './address.ts';
import type { Packet, Side } from './cluster.ts';
import { type Entity, givesName, selects } from './entity.ts';

/** Of one that can be understood. */
export function isSubject({ namespaces, pods }: ClusterNetworkPolicySubject, entity: Entity): boolean {
  if (entity.kind !== 'pod') return false;
  if (namespaces) return selects(namespaces, entity.namespaceLabels);
  if (!pods) return false;
  return (
    selects(pods.namespaceSelector ?? {}, entity.namespaceLabels) &&
    selects(pods.podSelector ?? {}, entity.allLabels)
  );
}

/** Of a rule that can be understood. */
export function clusterRuleHolds(
  rule: ClusterNetworkPolicyRule,
  side: Side,
  packet: Packet,
  entities: readonly Entity[],
): boolean {
  const peers = (side === 'ingress' ? rule.from : rule.to) ?? [];
  const other = side === 'ingress' ? packet.source : packet.destination;
  const receivers = entities.filter((entity) => entity.kind === 'pod' && entity.has(packet.destination));
  return (
    peers.some((peer) => peerIs(peer, other, entities)) &&
    (!rule.protocols?.length || rule.protocols.some((protocol) => protocolIs(protocol, packet, receivers)))
  );
}

function peerIs(
  { nodes, networks, ...subject }: ClusterNetworkPolicyPeer,
  address: string,
  entities: readonly Entity[],
): boolean {
  if (networks) return networks.some((network) => isWithin(address, network));
  const owners = entities.filter((entity) => entity.has(address));
  if (nodes) return owners.some((owner) => owner.kind === 'node' && selects(nodes, owner.labels));
  return owners.some((owner) => isSubject(subject, owner));
}

function protocolIs(
  wanted: ClusterNetworkPolicyProtocol,
  packet: Packet,
  receivers: readonly Entity[],
): boolean {
  const port = packet.destinationPort;
  if (wanted.destinationNamedPort) {
    const name = wanted.destinationNamedPort;
    return port !== undefined && receivers.some((owner) => givesName(owner, name, port, packet.protocol));
  }
  const match = { TCP: wanted.tcp, UDP: wanted.udp, SCTP: wanted.sctp }[packet.protocol as 'TCP'];
  if (!match) return false;
  const { number, range } = match.destinationPort ?? {};
  if (number !== undefined) return port === number;
  return !range || (port !== undefined && range.start <= port && port <= range.end);
}
