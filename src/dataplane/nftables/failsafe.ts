// Failsafe ports: what a mistake in a policy about host endpoints cannot take away. Inbound ones are ports of the node,
// outbound ones those of others that it speaks to; either may be confined to a network on the other side.
import type { PeerProgram, RuleProgram } from '../../calc/index.ts';
import { type Expression, registers } from '../../kernel/index.ts';
import type { Cidr } from '../../net/index.ts';
import { ContentSets } from './content-sets.ts';
import { ruleMatches } from './matches.ts';
import type { View } from './views.ts';

export interface FailsafePort {
  /** IANA number. */
  readonly protocol: number;
  readonly port: number;
  /** Everywhere when absent. */
  readonly net?: Cidr;
}

export interface FailsafePorts {
  readonly inbound: readonly FailsafePort[];
  readonly outbound: readonly FailsafePort[];
}

const ports = (protocol: number, ...list: readonly number[]) => list.map((port) => ({ protocol, port }));
const tcp = 6;
const udp = 17;

/** Upstream's: SSH, DHCP, BGP, etcd, Typha, the API server; outbound DNS, and no SSH. */
export const defaultFailsafePorts: FailsafePorts = {
  inbound: [...ports(tcp, 22, 179, 2379, 2380, 5473, 6443, 6666, 6667), ...ports(udp, 68)],
  outbound: [...ports(tcp, 179, 2379, 2380, 5473, 6443, 6666, 6667), ...ports(udp, 53, 67)],
};

/** Which end of the conversation has the port: with connections the one that was called, with single packets either. */
export type PortOwner = 'sender' | 'receiver';

/** One condition per port; the other end, whose network may matter, is the one without the port unless `net` says otherwise. */
export function failsafeMatches(
  ports: readonly FailsafePort[],
  view: View,
  { port: owner, net: other }: { readonly port: PortOwner; readonly net: PortOwner },
): Expression[][] {
  return ports.flatMap(({ protocol, port, net }) => {
    const sideOf = (end: PortOwner): PeerProgram => ({
      ...(end === owner && { ports: [{ first: port, last: port }] }),
      ...(end === other && net && { nets: [net] }),
    });
    const rule: RuleProgram = {
      action: 'Allow',
      origin: '',
      protocol,
      source: sideOf('sender'),
      destination: sideOf('receiver'),
    };
    // One port and one network are compared in place: no set is made for them.
    return ruleMatches(rule, { contents: new ContentSets(), nets: () => undefined, view });
  });
}

const register = registers.wide(0);

/** Below are ports that somebody serves, node ports among them; what Linux gives to who calls is not. Source: ip(7), ip_local_port_range. */
const callersPorts = { first: 32768, last: 65535 };

/** ACK of RFC 9293: every segment of a connection but the one that opens it. */
const isNotFirst: readonly Expression[] = [
  { kind: 'payload', base: 'transport', offset: 13, length: 1, to: register },
  { kind: 'bitwise', from: register, to: register, mask: Uint8Array.of(0x10), xor: Uint8Array.of(0) },
  { kind: 'cmp', comparison: '!=', register, value: Uint8Array.of(0) },
];

/**
 * The same of connections that are tracked the wrong way round, because a packet of the called one was the first that tracking saw:
 * those of an agent that is older than the node's first rule, or whose entry got lost. Only of TCP, where a packet says that it
 * does not open anything: nobody gets in who calls from such a port.
 */
export function turnedFailsafeMatches(
  ports: readonly FailsafePort[],
  view: View,
  net: PortOwner,
): Expression[][] {
  const caller: RuleProgram = { action: 'Allow', origin: '', destination: { ports: [callersPorts] } };
  const [isOfCaller = []] = ruleMatches(caller, { contents: new ContentSets(), nets: () => undefined, view });
  return failsafeMatches(
    ports.filter(({ protocol }) => protocol === tcp),
    view,
    { port: 'sender', net },
  ).map((match) => [...match, ...isOfCaller, ...isNotFirst]);
}
