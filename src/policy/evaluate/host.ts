// What host endpoints say of a packet that crosses a node, read beside
// https://docs.tigera.io/calico/latest/reference/host-endpoints/ (failsafe, forwarded, pre-dnat, summary).
import { isWithin } from './address.ts';
import { type Place, policiesAsked } from './asked.ts';
import type { Cluster, Crossing, Packet, Side } from './cluster.ts';
import { type Decided, decideByTiers } from './decide.ts';
import type { Entity } from './entity.ts';

interface Situation {
  readonly cluster: Cluster;
  readonly entities: readonly Entity[];
  readonly packet: Packet;
}

/** Ports that no policy closes, unless the configuration lists others. */
const failsafe: Readonly<Record<Side, readonly FailsafePort[]>> = {
  ingress: [
    ...[22, 179, 2379, 2380, 5473, 6443, 6666, 6667].map((port) => ({ protocol: 'TCP', port })),
    { protocol: 'UDP', port: 68 },
  ],
  egress: [
    ...[179, 2379, 2380, 5473, 6443, 6666, 6667].map((port) => ({ protocol: 'TCP', port })),
    { protocol: 'UDP', port: 53 },
    { protocol: 'UDP', port: 67 },
  ],
};

interface FailsafePort {
  readonly protocol?: string;
  readonly port: number;
  /** Where the other end is; anywhere when absent. */
  readonly net?: string;
}

const isPods = (name: string | undefined) => name?.startsWith('cali') ?? false;

/** `reason` is empty when nobody was asked. Without a configuration nodes let their pods speak to them, as the manifests have it. */
export function judgeCrossing(situation: Situation, crossing: Crossing): Decided {
  const { packet } = situation;
  const from = endpointOf(situation, crossing, crossing.in);
  const to = endpointOf(situation, crossing, crossing.out);
  const ask = (endpoint: Entity, side: Side, place: Place, asked = packet) =>
    decideByTiers({ ...situation, packet: asked, pod: endpoint, side, place });
  const { meant } = crossing;
  const untranslated: Packet = meant ? { ...packet, ...meant } : packet;
  const reasons: string[] = [];
  /** Undefined when the packet may go on. */
  const refused = (decided: Decided | undefined): Decided | undefined => {
    if (decided) reasons.push(decided.reason);
    return decided && !decided.allowed ? decided : undefined;
  };
  const passed = (): Decided => ({ allowed: true, reason: reasons.join('; ') });

  // Before connection tracking, packet by packet, at the first endpoint that it meets; that of all interfaces has no say.
  const [first, firstSide] =
    crossing.in === undefined ? ([to, 'egress'] as const) : ([from, 'ingress'] as const);
  if (first && !isForAll(first) && !isHalfOfFailsafe(situation, firstSide, untranslated)) {
    const early = ask(first, firstSide, 'untracked', untranslated);
    if (refused(early)) return { allowed: false, reason: reasons.join('; ') };
    if (early) return untrackedFurther(situation, crossing, to, early);
  }

  // Before translation, and where packets are passed on, those of pods meet the endpoint of all interfaces, too.
  const orForAll = (endpoint: Entity | undefined, name: string | undefined) =>
    endpoint ?? (isPods(name) ? forAll(situation, crossing) : undefined);
  const before = orForAll(from, crossing.in);
  let isSpared = false;
  if (before && !isFailsafe(situation, 'ingress', called(untranslated), packet.source)) {
    const early = ask(before, 'ingress', 'preDNAT', untranslated);
    if (refused(early)) return { allowed: false, reason: reasons.join('; ') };
    isSpared = early !== undefined;
  }

  if (crossing.in !== undefined && crossing.out !== undefined) {
    const after = orForAll(to, crossing.out);
    const decided =
      (before && !isSpared && refused(ask(before, 'ingress', 'forward'))) ||
      (after && refused(ask(after, 'egress', 'forward')));
    return decided || passed();
  }
  if (crossing.out === undefined && isPods(crossing.in) && !areOwnPodsHeard(situation))
    return { allowed: false, reason: 'defaultEndpointToHostAction is Drop' };
  const [own, side] = crossing.out === undefined ? ([from, 'ingress'] as const) : ([to, 'egress'] as const);
  const other = side === 'ingress' ? packet.source : packet.destination;
  if (!own || (side === 'ingress' && isSpared) || isFailsafe(situation, side, called(packet), other))
    return passed();
  return refused(ask(own, side, 'normal') ?? byProfiles(situation, own)) ?? passed();
}

/** A packet without a connection meets nobody who judges connections: a pod, or an endpoint with policies about what is forwarded. */
function untrackedFurther(
  situation: Situation,
  { in: came, out }: Crossing,
  to: Entity | undefined,
  early: Decided,
): Decided {
  if (came === undefined || out === undefined) return early;
  const isJudged =
    to !== undefined && policiesAsked({ ...situation, pod: to, side: 'egress', place: 'forward' }).length > 0;
  if (!isPods(came) && !isPods(out) && !isJudged) return early;
  return {
    allowed: false,
    reason: `${early.reason}, but whom it meets then judges connections, and it has none`,
  };
}

function byProfiles({ cluster }: Situation, { name, host }: Entity): Decided {
  const profile = (host?.spec.profiles ?? []).find(
    (candidate) =>
      candidate === 'projectcalico-default-allow' ||
      cluster.namespaces.some(({ metadata }) => candidate === `kns.${metadata.name}`),
  );
  return profile
    ? { allowed: true, reason: `profile "${profile}" of host endpoint "${name}" allows it` }
    : { allowed: false, reason: `nothing allows it at host endpoint "${name}"` };
}

/** The endpoint that names the interface; else the first that expects one of its addresses; else that of all interfaces. */
function endpointOf(situation: Situation, crossing: Crossing, name: string | undefined): Entity | undefined {
  if (name === undefined || isPods(name)) return undefined;
  const addresses = crossing.addresses?.[name] ?? [];
  const own = hostsOf(situation, crossing);
  return (
    own.find(({ host }) => host?.spec.interfaceName === name) ??
    own.find(({ host, has }) => !host?.spec.interfaceName && addresses.some(has)) ??
    forAll(situation, crossing)
  );
}

function forAll(situation: Situation, crossing: Crossing): Entity | undefined {
  return hostsOf(situation, crossing).find(isForAll);
}

function isForAll({ host }: Entity): boolean {
  return host?.spec.interfaceName === '*';
}

function hostsOf({ entities }: Situation, { node }: Crossing): Entity[] {
  return entities.filter(({ host }) => host?.spec.node === node).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A protocol and one of a packet's ports. */
interface Called {
  readonly protocol: string;
  readonly port: number | undefined;
}

const called = ({ protocol, destinationPort }: Packet): Called => ({ protocol, port: destinationPort });

function isFailsafe(
  { cluster }: Situation,
  side: Side,
  { protocol, port }: Called,
  otherEnd: string,
): boolean {
  const { failsafeInboundHostPorts, failsafeOutboundHostPorts } = cluster.felixConfiguration?.spec ?? {};
  const listed: readonly FailsafePort[] =
    (side === 'ingress' ? failsafeInboundHostPorts : failsafeOutboundHostPorts) ?? failsafe[side];
  return listed.some(
    (own) =>
      (own.protocol ?? 'TCP').toUpperCase() === protocol.toUpperCase() &&
      own.port === port &&
      (!own.net || isWithin(otherEnd, own.net)),
  );
}

/** Either half of such a conversation: what comes from another's port answers what went to it. */
function isHalfOfFailsafe(situation: Situation, side: Side, packet: Packet): boolean {
  const [opposite, otherEnd] =
    side === 'ingress' ? (['egress', packet.source] as const) : (['ingress', packet.destination] as const);
  const calling: Called = { protocol: packet.protocol, port: packet.sourcePort };
  return (
    isFailsafe(situation, side, called(packet), otherEnd) ||
    isFailsafe(situation, opposite, calling, otherEnd)
  );
}

function areOwnPodsHeard({ cluster }: Situation): boolean {
  return cluster.felixConfiguration?.spec.defaultEndpointToHostAction?.toLowerCase() !== 'drop';
}
