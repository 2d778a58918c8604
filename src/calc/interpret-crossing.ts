// Reads a node's desired state as the kernel would and says what its host endpoints make of a connection's first packet.
import { type Cidr, cidrContains, parseAddress } from '../net/index.ts';
import type { DesiredState, HostEndpointProgram, TierProgram } from './desired-state.ts';
import { type Connection, decideInTier } from './interpret.ts';

export interface Passage {
  /** Name of the interface that it comes in by; absent when the node itself sends it. */
  readonly in?: string;
  /** Name of the interface that it goes out by; absent when the node itself receives it. */
  readonly out?: string;
  /** Where it was sent before its destination was translated. */
  readonly meant?: { readonly destination: string; readonly destinationPort: number };
}

interface Port {
  readonly protocol: number;
  readonly port: number;
  readonly net?: Cidr;
}

export interface HostSettings {
  /** Failsafe ports. */
  readonly inbound: readonly Port[];
  readonly outbound: readonly Port[];
  /** The node does not take what its own pods send to it. */
  readonly isDeafToPods?: boolean;
}

type Verdict = 'Allow' | 'Deny';
const all = '*';
const isPods = (name: string) => name.startsWith('cali');

export function interpretCrossing(
  state: DesiredState,
  connection: Connection,
  passage: Passage,
  { inbound, outbound, isDeafToPods = false }: HostSettings,
): Verdict {
  const { in: came, out, meant } = passage;
  const owner = (name: string | undefined) =>
    name === undefined || isPods(name)
      ? undefined
      : (state.hostEndpoints.get(name) ?? state.hostEndpoints.get(all));
  const [from, to] = [owner(came), owner(out)];
  const sent: Connection = meant ? { ...connection, ...meant } : connection;
  const ask = (tiers: readonly TierProgram[], direction: 'ingress' | 'egress', asked = connection) =>
    decide(state, tiers, direction, asked);

  const [first, direction] = came === undefined ? ([to, 'egress'] as const) : ([from, 'ingress'] as const);
  const [own, other] = direction === 'ingress' ? [inbound, outbound] : [outbound, inbound];
  const peer = direction === 'ingress' ? sent.source : sent.destination;
  const isTracked =
    isListed(own, sent, sent.destinationPort, peer) || isListed(other, sent, sent.sourcePort, peer);
  if (first && !isTracked) {
    const verdict = ask(first.untracked[direction], direction, sent);
    if (verdict === 'Deny') return 'Deny';
    if (verdict === 'Allow') return isMetByOthers(came, out, to) ? 'Deny' : 'Allow';
  }

  // Where packets are passed on, pods' interfaces are some of all.
  const passing = (name: string | undefined, own: HostEndpointProgram | undefined) =>
    own ?? (name !== undefined && isPods(name) ? state.hostEndpoints.get(all) : undefined);
  const early = passing(came, from);
  const isReached = isListed(inbound, sent, sent.destinationPort, sent.source);
  const before = early && !isReached ? ask(early.preDNAT, 'ingress', sent) : undefined;
  if (before === 'Deny') return 'Deny';

  if (came !== undefined && out !== undefined) {
    const late = passing(out, to);
    if (early && before !== 'Allow' && ask(early.forward.ingress, 'ingress') === 'Deny') return 'Deny';
    return late && ask(late.forward.egress, 'egress') === 'Deny' ? 'Deny' : 'Allow';
  }
  if (out === undefined) {
    if (came !== undefined && isPods(came)) return isDeafToPods ? 'Deny' : 'Allow';
    if (
      !from ||
      before === 'Allow' ||
      isListed(inbound, connection, connection.destinationPort, connection.source)
    )
      return 'Allow';
    return ask(from.normal.ingress, 'ingress') ?? from.afterTiers;
  }
  if (!to || isListed(outbound, connection, connection.destinationPort, connection.destination))
    return 'Allow';
  return ask(to.normal.egress, 'egress') ?? to.afterTiers;
}

/** Whoever judges connections lets nothing pass that has none. */
function isMetByOthers(
  came: string | undefined,
  out: string | undefined,
  to: HostEndpointProgram | undefined,
): boolean {
  if (came === undefined || out === undefined) return false;
  return isPods(came) || isPods(out) || (to?.forward.egress.length ?? 0) > 0;
}

/** Undefined when no tier decides. */
function decide(
  state: DesiredState,
  tiers: readonly TierProgram[],
  direction: 'ingress' | 'egress',
  connection: Connection,
): Verdict | undefined {
  for (const tier of tiers) {
    const action = decideInTier(state, tier, direction, connection);
    if (action !== 'Pass') return action;
  }
  return undefined;
}

function isListed(
  ports: readonly Port[],
  { protocol }: Connection,
  number: number | undefined,
  peer: string,
): boolean {
  return ports.some(
    (listed) =>
      listed.protocol === protocol &&
      listed.port === number &&
      (!listed.net || cidrContains(listed.net, parseAddress(peer))),
  );
}
