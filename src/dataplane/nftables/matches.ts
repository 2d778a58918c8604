// Conditions as expressions. They ask about the connection, not about the packet in hand: "source" is who opened it and
// "destination" whom it reached after translation, so that a reply is judged exactly as the packet that it answers, and a
// connection can be judged again at any moment, by whichever of its packets comes first.

import type { PeerProgram, RuleProgram } from '../../calc/index.ts';
import {
  type Expression,
  registers,
  type TupleDirection,
  type TupleKey,
  type Verdict,
} from '../../kernel/index.ts';
import { type Cidr, type Family, mergeRanges, type Range } from '../../net/index.ts';
import type { IcmpMatch } from '../../policy/index.ts';
import { netmaskBytes, networkBytes, networkU16 } from './bytes.ts';
import type { ContentSets } from './content-sets.ts';
import { addressSetName, netSetName } from './names.ts';

const register = registers.wide(0);

type Side = 'source' | 'destination';

const addressKeys: Record<Side, Record<Family, { direction: TupleDirection; key: TupleKey }>> = {
  source: { 4: { direction: 'original', key: 'ip saddr' }, 6: { direction: 'original', key: 'ip6 saddr' } },
  // The reply comes from whom the connection reached, whatever address it was sent to.
  destination: { 4: { direction: 'reply', key: 'ip saddr' }, 6: { direction: 'reply', key: 'ip6 saddr' } },
};

const portKeys: Record<Side, { direction: TupleDirection; key: TupleKey }> = {
  source: { direction: 'original', key: 'proto-src' },
  destination: { direction: 'reply', key: 'proto-src' },
};

/** What has to be known of the rest of the table to say a rule's conditions. */
export interface MatchContext {
  /** Sets of nets and ports are acquired from here. */
  readonly contents: ContentSets;
  /** Whether the address set has networks besides its addresses. */
  readonly hasNets: (set: string) => boolean;
}

/**
 * The conditions of a rule: alternatives, each a list of expressions that must all hold. Once per family where they speak of
 * addresses; none at all when no packet can meet them.
 */
export function ruleMatches(rule: RuleProgram, context: MatchContext): Expression[][] {
  const { source = {}, destination = {} } = rule;
  const sides = [source, destination];
  const asksForAddress = sides.some(
    ({ nets, notNets, set, notSet, portSet, notPortSets }) =>
      nets ?? notNets ?? set ?? notSet ?? portSet ?? notPortSets,
  );
  const kinds = icmpMatches(rule).map((icmp) => [...protocolMatch(rule), ...icmp]);
  if (!asksForAddress) {
    const family = rule.family ? nfproto(rule.family) : [];
    const ports = [
      ...portMatch(source, 'source', context),
      ...portMatch(destination, 'destination', context),
    ];
    return kinds.map((kind) => [...family, ...kind, ...ports]);
  }
  const families = ([4, 6] as const).filter(
    (family) =>
      (rule.family ?? family) === family &&
      sides.every(({ nets }) => !nets || nets.some((net) => net.family === family)),
  );
  return families.flatMap((family) =>
    peerMatches(source, 'source', family, context).flatMap((from) =>
      peerMatches(destination, 'destination', family, context).flatMap((to) =>
        kinds.map((kind) => [...nfproto(family), ...kind, ...from, ...to]),
      ),
    ),
  );
}

function protocolMatch({ protocol, notProtocol }: RuleProgram): Expression[] {
  return [
    ...(protocol === undefined ? [] : isProtocol('==', protocol)),
    ...(notProtocol === undefined ? [] : isProtocol('!=', notProtocol)),
  ];
}

function isProtocol(comparison: '==' | '!=', number: number): Expression[] {
  return [
    { kind: 'ct tuple', key: 'protocol', direction: 'original', to: register },
    { kind: 'cmp', comparison, register, value: Uint8Array.of(number) },
  ];
}

const icmpProtocols: readonly number[] = [1, 58];

/**
 * Alternatives. Where other protocols have a destination port, a connection of ICMP has the type and the code of its first
 * message: that of another protocol is not to be taken for them, and is no ICMP message either.
 */
function icmpMatches({ protocol, icmp, notIcmp }: RuleProgram): Expression[][] {
  const compare = (comparison: '==' | '!=', { type, code }: IcmpMatch): Expression[] => [
    { kind: 'ct tuple', key: 'proto-dst', direction: 'original', to: register },
    {
      kind: 'cmp',
      comparison,
      register,
      value: code === undefined ? Uint8Array.of(type) : Uint8Array.of(type, code),
    },
  ];
  const is = icmp ? compare('==', icmp) : [];
  if (!notIcmp || (protocol !== undefined && !icmpProtocols.includes(protocol))) return [is];
  const isNot = [...is, ...compare('!=', notIcmp)];
  if (protocol !== undefined) return [isNot];
  // Disjoint, so that a rule that logs does so once.
  return [
    ...icmpProtocols.map((number) => [...isProtocol('==', number), ...isNot]),
    [...is, ...icmpProtocols.flatMap((number) => isProtocol('!=', number))],
  ];
}

function nfproto(family: Family): Expression[] {
  // NFPROTO_IPV4 and NFPROTO_IPV6 of linux/netfilter.h
  const value = Uint8Array.of(family === 4 ? 2 : 10);
  return [
    { kind: 'meta', key: 'nfproto', to: register },
    { kind: 'cmp', comparison: '==', register, value },
  ];
}

/** Alternatives: a set may stand for addresses and for networks, which the kernel looks up in two places. */
function peerMatches(peer: PeerProgram, side: Side, family: Family, context: MatchContext): Expression[][] {
  const { nets, notNets, set, notSet, portSet, notPortSets = [] } = peer;
  const ofFamily = (cidrs: readonly Cidr[]) => cidrs.filter((net) => net.family === family);
  const address: Expression = { kind: 'ct tuple', ...addressKeys[side][family], to: register };
  const lookUp = (name: string, invert = false): Expression[] => [
    address,
    { kind: 'lookup', set: name, register, ...(invert && { invert }) },
  ];
  const rest = [
    ...(nets ? netMatch(ofFamily(nets), '==', address, family, context.contents) : []),
    ...(notNets ? netMatch(ofFamily(notNets), '!=', address, family, context.contents) : []),
    ...(notSet === undefined ? [] : lookUp(addressSetName(notSet, family), true)),
    ...(notSet !== undefined && context.hasNets(notSet) ? lookUp(netSetName(notSet, family), true) : []),
    ...(portSet === undefined ? [] : portSetMatch(addressSetName(portSet, family), side, family, false)),
    ...notPortSets.flatMap((id) => portSetMatch(addressSetName(id, family), side, family, true)),
    ...portMatch(peer, side, context),
  ];
  if (set === undefined) return [rest];
  const places = [addressSetName(set, family), ...(context.hasNets(set) ? [netSetName(set, family)] : [])];
  return places.map((name) => [...lookUp(name), ...rest]);
}

function netMatch(
  nets: readonly Cidr[],
  comparison: '==' | '!=',
  address: Expression,
  family: Family,
  contents: ContentSets,
): Expression[] {
  const [only] = nets;
  // No net at all excludes nothing; "==" with none of the family is never asked, the whole rule has gone then.
  if (!only) return [];
  if (nets.length > 1) {
    return [
      address,
      { kind: 'lookup', set: contents.nets(family, nets), register, invert: comparison === '!=' },
    ];
  }
  if (only.length === 0 && comparison === '==') return [address];
  const mask = netmaskBytes(only);
  return [
    address,
    { kind: 'bitwise', from: register, to: register, mask, xor: new Uint8Array(mask.length) },
    { kind: 'cmp', comparison, register, value: networkBytes(only) },
  ];
}

function portMatch({ ports, notPorts }: PeerProgram, side: Side, { contents }: MatchContext): Expression[] {
  return [
    ...(ports ? rangesMatch(ports, side, contents, false) : []),
    ...(notPorts ? rangesMatch(notPorts, side, contents, true) : []),
  ];
}

function rangesMatch(
  list: readonly Range<number>[],
  side: Side,
  contents: ContentSets,
  invert: boolean,
): Expression[] {
  const ranges: Range<number>[] = mergeRanges(list);
  const port: Expression = { kind: 'ct tuple', ...portKeys[side], to: register };
  const compare = (comparison: '==' | '!=' | '>=' | '<=', value: number): Expression => ({
    kind: 'cmp',
    comparison,
    register,
    value: networkU16(value),
  });
  const [only] = ranges;
  if (only && ranges.length === 1) {
    if (only.first === only.last) return [port, compare(invert ? '!=' : '==', only.first)];
    if (!invert) return [port, compare('>=', only.first), compare('<=', only.last)];
  }
  return [port, { kind: 'lookup', set: contents.ports(ranges), register, ...(invert && { invert }) }];
}

function portSetMatch(set: string, side: Side, family: Family, invert: boolean): Expression[] {
  const words = family === 4 ? 1 : 4;
  return [
    { kind: 'ct tuple', ...addressKeys[side][family], to: registers.narrow(0) },
    { kind: 'ct tuple', key: 'protocol', direction: 'original', to: registers.narrow(words) },
    { kind: 'ct tuple', ...portKeys[side], to: registers.narrow(words + 1) },
    { kind: 'lookup', set, register: registers.narrow(0), ...(invert && { invert }) },
  ];
}

export const counter: Expression = { kind: 'counter', packets: 0n, bytes: 0n };

export function verdict(code: 'accept' | 'drop' | 'return'): Expression {
  return { kind: 'verdict', verdict: { code } };
}

export function goTo(chain: string): Expression {
  return { kind: 'verdict', verdict: { code: 'goto', chain } satisfies Verdict };
}

export function jump(chain: string): Expression {
  return { kind: 'verdict', verdict: { code: 'jump', chain } satisfies Verdict };
}
