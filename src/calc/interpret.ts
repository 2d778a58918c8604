// Reads a node's desired state as the kernel would and says what becomes of a connection's first packet there.
// The reference for the compilers of the dataplane, and itself proved against the evaluator of the policy room.
import { type Address, cidrContains, parseAddress } from '../net/index.ts';
import type { DesiredState, PeerProgram, RuleProgram, TierProgram } from './desired-state.ts';

export interface Connection {
  readonly source: string;
  readonly destination: string;
  /** IANA number. */
  readonly protocol: number;
  readonly destinationPort?: number;
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
    for (const policy of tier.policies) {
      const program = state.policies.get(policy);
      // A policy that is not there cannot be asked, and what cannot be asked does not allow.
      if (!program) return 'Deny';
      const rule = program[direction].find((candidate) => ruleHolds(state, candidate, connection));
      if (rule) return rule.action;
    }
    if (tier.defaultAction === 'Deny') return 'Deny';
  }
  return afterTiers;
}

function ruleHolds(state: DesiredState, rule: RuleProgram, connection: Connection): boolean {
  const source = parseAddress(connection.source);
  const destination = parseAddress(connection.destination);
  return (
    (rule.family === undefined || rule.family === source.family) &&
    (rule.protocol === undefined || rule.protocol === connection.protocol) &&
    peerHolds(state, rule.source, source, connection.source, connection.protocol, undefined) &&
    peerHolds(
      state,
      rule.destination,
      destination,
      connection.destination,
      connection.protocol,
      connection.destinationPort,
    )
  );
}

function peerHolds(
  state: DesiredState,
  peer: PeerProgram | undefined,
  address: Address,
  text: string,
  protocol: number,
  port: number | undefined,
): boolean {
  if (!peer) return true;
  const { nets, notNets, set, ports, portSet } = peer;
  return (
    (!nets || nets.some((net) => cidrContains(net, address))) &&
    !notNets?.some((net) => cidrContains(net, address)) &&
    (set === undefined || (state.sets.get(set)?.members.has(text) ?? false)) &&
    (!ports || (port !== undefined && ports.some(({ first, last }) => first <= port && port <= last))) &&
    (portSet === undefined || (state.sets.get(portSet)?.members.has(`${text},${protocol},${port}`) ?? false))
  );
}
