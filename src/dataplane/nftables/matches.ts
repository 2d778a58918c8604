// A rule's conditions as expressions. What "source" and "destination" mean is for a view to say (see views.ts).

import type { PeerProgram, RuleProgram } from '../../calc/index.ts';
import { type Expression, registers, type Verdict } from '../../kernel/index.ts';
import { type Cidr, type Family, mergeRanges, type Range } from '../../net/index.ts';
import type { IcmpMatch } from '../../policy/index.ts';
import { netmaskBytes, networkBytes, networkU16 } from './bytes.ts';
import type { ContentSets, NamedRanges } from './content-sets.ts';
import { addressSetName } from './names.ts';
import type { Side, View } from './views.ts';

const register = registers.wide(0);

/** What has to be known of the rest of the table to say a rule's conditions. */
export interface MatchContext {
  /** Sets of nets and ports are acquired from here. */
  readonly contents: ContentSets;
  /** The networks that an address set has besides its addresses; undefined when it has none of that family. */
  readonly nets: (set: string, family: Family) => NamedRanges | undefined;
  /** What the conditions are asked of. */
  readonly view: View;
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
  const kinds = icmpMatches(rule, context.view).map((icmp) => [
    ...protocolMatch(rule, context.view),
    ...icmp,
  ]);
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
      // As upstream: whoever speaks of one family's networks, and be it to leave them out, speaks of that family alone.
      sides.every(({ nets, notNets }) =>
        [nets, notNets].every((list) => !list || list.some((net) => net.family === family)),
      ),
  );
  const isOnce = rule.action === 'Log';
  return families.flatMap((family) =>
    peerMatches(source, 'source', family, isOnce, context).flatMap((from) =>
      peerMatches(destination, 'destination', family, isOnce, context).flatMap((to) =>
        kinds.map((kind) => [...nfproto(family), ...kind, ...from, ...to]),
      ),
    ),
  );
}

function protocolMatch({ protocol, notProtocol }: RuleProgram, view: View): Expression[] {
  return [
    ...(protocol === undefined ? [] : isProtocol('==', protocol, view)),
    ...(notProtocol === undefined ? [] : isProtocol('!=', notProtocol, view)),
  ];
}

function isProtocol(comparison: '==' | '!=', number: number, view: View): Expression[] {
  return [view.protocol(register), { kind: 'cmp', comparison, register, value: Uint8Array.of(number) }];
}

const icmpProtocols: readonly number[] = [1, 58];

/**
 * Alternatives. Where other protocols have a destination port, a connection of ICMP has the type and the code of its first
 * message: that of another protocol is not to be taken for them, and is no ICMP message either.
 */
function icmpMatches({ protocol, icmp, notIcmp }: RuleProgram, view: View): Expression[][] {
  const compare = (comparison: '==' | '!=', { type, code }: IcmpMatch): Expression[] => [
    view.icmp(register),
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
    ...icmpProtocols.map((number) => [...isProtocol('==', number, view), ...isNot]),
    [...is, ...icmpProtocols.flatMap((number) => isProtocol('!=', number, view))],
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

/**
 * Alternatives: a set may stand for addresses and for networks, which the kernel looks up in two places. An address may be in
 * both. Most actions end at the first; where `isOnce`, a later alternative is not for what an earlier one is for.
 */
function peerMatches(
  peer: PeerProgram,
  side: Side,
  family: Family,
  isOnce: boolean,
  context: MatchContext,
): Expression[][] {
  const { nets, notNets, set, notSet, portSet, notPortSets = [] } = peer;
  const ofFamily = (cidrs: readonly Cidr[]) => cidrs.filter((net) => net.family === family);
  const address = context.view.address(side, family, register);
  const isIn = (name: string, invert = false): Expression => ({
    kind: 'lookup',
    set: name,
    register,
    ...(invert && { invert }),
  });
  const placesOf = (id: string): string[] => {
    const networks = context.nets(id, family);
    return [addressSetName(id, family), ...(networks ? [context.contents.ranges(networks)] : [])];
  };
  const rest = [
    ...(nets ? netMatch(ofFamily(nets), '==', address, family, context.contents) : []),
    ...(notNets ? netMatch(ofFamily(notNets), '!=', address, family, context.contents) : []),
    ...(notSet === undefined ? [] : placesOf(notSet).flatMap((place) => [address, isIn(place, true)])),
    ...(portSet === undefined
      ? []
      : portSetMatch(addressSetName(portSet, family), side, family, context.view, false)),
    ...notPortSets.flatMap((id) =>
      portSetMatch(addressSetName(id, family), side, family, context.view, true),
    ),
    ...portMatch(peer, side, context),
  ];
  if (set === undefined) return [rest];
  return placesOf(set).map((place, index, places) => [
    address,
    ...places.slice(0, isOnce ? index : 0).map((earlier) => isIn(earlier, true)),
    isIn(place),
    ...rest,
  ]);
}

function netMatch(
  nets: readonly Cidr[],
  comparison: '==' | '!=',
  address: Expression,
  family: Family,
  contents: ContentSets,
): Expression[] {
  const [only] = nets;
  // Never asked: with none of the family, the whole rule has gone.
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

function portMatch(
  { ports, notPorts }: PeerProgram,
  side: Side,
  { contents, view }: MatchContext,
): Expression[] {
  const port = view.port(side, register);
  return [
    ...(ports ? rangesMatch(ports, port, contents, false) : []),
    ...(notPorts ? rangesMatch(notPorts, port, contents, true) : []),
  ];
}

function rangesMatch(
  list: readonly Range<number>[],
  port: Expression,
  contents: ContentSets,
  invert: boolean,
): Expression[] {
  const ranges: Range<number>[] = mergeRanges(list);
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

function portSetMatch(set: string, side: Side, family: Family, view: View, invert: boolean): Expression[] {
  const words = family === 4 ? 1 : 4;
  return [
    view.address(side, family, registers.narrow(0)),
    view.protocol(registers.narrow(words)),
    view.port(side, registers.narrow(words + 1)),
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
