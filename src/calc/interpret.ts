// Reads a node's desired state as the kernel would and says what becomes of a connection's first packet there.
// The reference for the compilers of the dataplane, and itself proved against the evaluator of the policy room.
import { type Cidr, cidrContains, parseAddress, parseCidr, type Range } from '../net/index.ts';
import type { DesiredState, PeerProgram, RuleProgram, TierProgram } from './desired-state.ts';

export interface Connection {
  readonly source: string;
  readonly destination: string;
  /** IANA number. */
  readonly protocol: number;
  /** Absent where the protocol has none. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmp?: { readonly type: number; readonly code: number };
}

/** Judged by the local endpoints among its two ends; a connection between others is none of this node's business and allowed. */
export function interpret(state: DesiredState, connection: Connection): 'Allow' | 'Deny' {
  for (const endpoint of state.endpoints.values()) {
    if (
      endpoint.addresses.includes(connection.source) &&
      decide(state, endpoint.egress, 'egress', connection, endpoint.afterTiers) === 'Deny'
    ) {
      return 'Deny';
    }
  }
  for (const endpoint of state.endpoints.values()) {
    if (
      endpoint.addresses.includes(connection.destination) &&
      decide(state, endpoint.ingress, 'ingress', connection, endpoint.afterTiers) === 'Deny'
    ) {
      return 'Deny';
    }
  }
  return 'Allow';
}

function decide(
  state: DesiredState,
  tiers: readonly TierProgram[],
  direction: 'ingress' | 'egress',
  connection: Connection,
  afterTiers: 'Allow' | 'Deny',
): 'Allow' | 'Deny' {
  for (const tier of tiers) {
    const action = decideInTier(state, tier, direction, connection);
    if (action !== 'Pass') return action;
  }
  return afterTiers;
}

export function decideInTier(
  state: DesiredState,
  tier: TierProgram,
  direction: 'ingress' | 'egress',
  connection: Connection,
): 'Allow' | 'Deny' | 'Pass' {
  for (const { key } of tier.policies) {
    const program = state.policies.get(key);
    // A policy that is not there cannot be asked, and what cannot be asked does not allow.
    if (!program) return 'Deny';
    for (const rule of program[direction]) {
      if (rule.action !== 'Log' && ruleHolds(state, rule, connection)) return rule.action;
    }
  }
  return tier.defaultAction;
}

function ruleHolds(state: DesiredState, rule: RuleProgram, connection: Connection): boolean {
  const { family, protocol, notProtocol, icmp, notIcmp, source, destination } = rule;
  const isIcmp = (wanted: { type: number; code?: number }) =>
    connection.icmp?.type === wanted.type &&
    (wanted.code === undefined || connection.icmp.code === wanted.code);
  return (
    (family === undefined || family === parseAddress(connection.source).family) &&
    (protocol === undefined || protocol === connection.protocol) &&
    (notProtocol === undefined || notProtocol !== connection.protocol) &&
    (!icmp || isIcmp(icmp)) &&
    (!notIcmp || !isIcmp(notIcmp)) &&
    peerHolds(state, source, connection.source, connection.protocol, connection.sourcePort) &&
    peerHolds(state, destination, connection.destination, connection.protocol, connection.destinationPort)
  );
}

function peerHolds(
  state: DesiredState,
  peer: PeerProgram | undefined,
  text: string,
  protocol: number,
  port: number | undefined,
): boolean {
  if (!peer) return true;
  const { nets, notNets, set, notSet, ports, notPorts, portSet, notPortSets } = peer;
  const address = parseAddress(text);
  const isInNet = (net: Cidr) => cidrContains(net, address);
  const isMember = (id: string, member: string) => {
    const found = state.sets.get(id);
    if (!found) return undefined;
    return found.members.has(member) || [...found.nets.keys()].some((net) => isInNet(parseCidr(net)));
  };
  const isInRange = (ranges: readonly Range<number>[]) =>
    port !== undefined && ranges.some(({ first, last }) => first <= port && port <= last);
  const named = `${text},${protocol},${port}`;
  return (
    (!nets || nets.some(isInNet)) &&
    (!notNets || (notNets.some(({ family }) => family === address.family) && !notNets.some(isInNet))) &&
    (set === undefined || isMember(set, text) === true) &&
    (notSet === undefined || isMember(notSet, text) === false) &&
    (!ports || isInRange(ports)) &&
    (!notPorts || !isInRange(notPorts)) &&
    (portSet === undefined || isMember(portSet, named) === true) &&
    (notPortSets ?? []).every((id) => isMember(id, named) === false)
  );
}
