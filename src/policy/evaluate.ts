// What a cluster's objects say about one packet, and why. Written to be read beside the Kubernetes documentation:
// it works from the objects as users wrote them and shares no matching with the rule tree or its compilers,
// which are tested against it.
import { parseAddress } from '../net/index.ts';
import type {
  KubernetesNetworkPolicy,
  LabelSelector,
  Namespace,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
} from '../resources/index.ts';
import { podAnnotations } from './endpoint.ts';

export interface Cluster {
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly networkPolicies: readonly KubernetesNetworkPolicy[];
}

/** The first packet of a connection, as the pods see it (after service translation). */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'ICMP';
  /** Absent for ICMP. */
  readonly destinationPort?: number;
}

export interface Verdict {
  readonly action: 'Allow' | 'Deny';
  /** One sentence per direction that was judged, the sender's first. */
  readonly reasons: readonly string[];
}

type Side = 'ingress' | 'egress';

export function evaluate(cluster: Cluster, packet: Packet): Verdict {
  const sender = podWithAddress(cluster, packet.source);
  const receiver = podWithAddress(cluster, packet.destination);
  // A pod always reaches itself: the packet never leaves it.
  if (sender && sender === receiver)
    return { action: 'Allow', reasons: [`"${nameOf(sender)}" speaks to itself`] };
  const reasons: string[] = [];
  for (const [pod, side] of [
    [sender, 'egress'],
    [receiver, 'ingress'],
  ] as const) {
    if (!pod) continue;
    const { allowed, reason } = judge(cluster, pod, side, packet);
    reasons.push(reason);
    if (!allowed) return { action: 'Deny', reasons };
  }
  return { action: 'Allow', reasons };
}

/** The policies that select a pod for a direction are a union: one rule of one policy is enough, and no policy is no limit. */
function judge(cluster: Cluster, pod: Pod, side: Side, packet: Packet): { allowed: boolean; reason: string } {
  const selecting = cluster.networkPolicies.filter(
    (policy) =>
      policy.metadata.namespace === pod.metadata.namespace &&
      selects(policy.spec?.podSelector ?? {}, pod.metadata.labels) &&
      directionsOf(policy).includes(side),
  );
  if (selecting.length === 0) {
    return { allowed: true, reason: `No policy selects "${nameOf(pod)}" for ${side}` };
  }
  for (const policy of selecting) {
    const rules = (side === 'ingress' ? policy.spec?.ingress : policy.spec?.egress) ?? [];
    for (const [index, rule] of rules.entries()) {
      const peers = ('from' in rule ? rule.from : 'to' in rule ? rule.to : undefined) ?? [];
      const other = side === 'ingress' ? packet.source : packet.destination;
      const peerFits = peers.length === 0 || peers.some((peer) => peerIs(cluster, policy, peer, other));
      const portFits = !rule.ports?.length || rule.ports.some((port) => portIs(cluster, port, packet));
      if (peerFits && portFits) {
        return { allowed: true, reason: `spec.${side}[${index}] of policy "${nameOf(policy)}" allows it` };
      }
    }
  }
  const names = selecting.map((policy) => `"${nameOf(policy)}"`).join(', ');
  return {
    allowed: false,
    reason: `"${nameOf(pod)}" is selected for ${side} by ${names}, and no rule of theirs allows it`,
  };
}

function directionsOf({ spec }: KubernetesNetworkPolicy): Side[] {
  if (spec?.policyTypes?.length)
    return spec.policyTypes.map((type) => (type === 'Ingress' ? 'ingress' : 'egress'));
  return spec?.egress?.length ? ['ingress', 'egress'] : ['ingress'];
}

function peerIs(
  cluster: Cluster,
  policy: KubernetesNetworkPolicy,
  peer: NetworkPolicyPeer,
  address: string,
): boolean {
  if (peer.ipBlock) {
    const { cidr, except } = peer.ipBlock;
    return isWithin(address, cidr) && !(except ?? []).some((hole) => isWithin(address, hole));
  }
  const pod = podWithAddress(cluster, address);
  if (!pod) return false;
  if (peer.podSelector && !selects(peer.podSelector, pod.metadata.labels)) return false;
  if (!peer.namespaceSelector) return pod.metadata.namespace === policy.metadata.namespace;
  const namespace = cluster.namespaces.find(({ metadata }) => metadata.name === pod.metadata.namespace);
  return namespace !== undefined && selects(peer.namespaceSelector, namespace.metadata.labels);
}

function portIs(cluster: Cluster, wanted: NetworkPolicyPort, packet: Packet): boolean {
  if ((wanted.protocol || 'TCP') !== packet.protocol) return false;
  if (wanted.port === undefined) return true;
  const actual = packet.destinationPort;
  if (actual === undefined) return false;
  if (typeof wanted.port === 'number')
    return wanted.port <= actual && actual <= (wanted.endPort ?? wanted.port);
  const receiver = podWithAddress(cluster, packet.destination);
  const containers = [
    ...(receiver?.spec?.containers ?? []),
    ...(receiver?.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always'),
  ];
  return containers.some((container) =>
    (container.ports ?? []).some(
      (port) =>
        port.name === wanted.port &&
        port.containerPort === actual &&
        (port.protocol ?? 'TCP') === packet.protocol,
    ),
  );
}

function selects(selector: LabelSelector, labels: Record<string, string> = {}): boolean {
  const has = (key: string) => Object.hasOwn(labels, key);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (!has(key) || labels[key] !== value) return false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const isListed = has(key) && values.includes(labels[key] ?? '');
    if (operator === 'In' && !isListed) return false;
    if (operator === 'NotIn' && isListed) return false;
    if (operator === 'Exists' && !has(key)) return false;
    if (operator === 'DoesNotExist' && has(key)) return false;
  }
  return true;
}

/** Compares bit by bit, as one would on paper. */
function isWithin(address: string, cidr: string): boolean {
  const [network = '', length = ''] = cidr.split('/');
  if (address.includes(':') !== network.includes(':')) return false;
  const width = address.includes(':') ? 128 : 32;
  const bits = (text: string) => parseAddress(text).value.toString(2).padStart(width, '0');
  return bits(address).slice(0, Number(length)) === bits(network).slice(0, Number(length));
}

/** Pods on the host's network have the node's address, and no policy speaks of them; ended pods have none any more. */
function podWithAddress(cluster: Cluster, address: string): Pod | undefined {
  return cluster.pods.find(
    (pod) =>
      !pod.spec?.hostNetwork &&
      pod.status?.phase !== 'Succeeded' &&
      pod.status?.phase !== 'Failed' &&
      addressesOf(pod).includes(address),
  );
}

function addressesOf({ metadata, status }: Pod): string[] {
  const annotation = metadata.annotations?.[podAnnotations.podIps];
  if (annotation !== undefined) return annotation.split(',').map((text) => text.split('/')[0] ?? '');
  return status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : []);
}

function nameOf({ metadata }: { metadata: { namespace?: string; name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`;
}
