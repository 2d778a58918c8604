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
import { netmaskBytes, networkBytes, networkU16 } from './bytes.ts';
import type { ContentSets } from './content-sets.ts';
import { addressSetName } from './names.ts';

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

/**
 * The conditions of a rule, once per family where they speak of addresses; empty when no packet can meet them.
 * Sets of nets and ports are acquired from `contents`.
 */
export function ruleMatches(rule: RuleProgram, contents: ContentSets): Expression[][] {
  const sides = [rule.source, rule.destination];
  const asksForAddress = sides.some(
    (side) => side && (side.nets || side.notNets || side.set || side.portSet),
  );
  const families = ([4, 6] as const).filter(
    (family) =>
      (rule.family ?? family) === family &&
      sides.every((side) => !side?.nets || side.nets.some((net) => net.family === family)),
  );
  const protocol: Expression[] =
    rule.protocol === undefined
      ? []
      : [
          { kind: 'ct tuple', key: 'protocol', direction: 'original', to: register },
          { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(rule.protocol) },
        ];
  if (!asksForAddress) {
    const family = rule.family ? nfproto(rule.family) : [];
    return [
      [
        ...family,
        ...protocol,
        ...portMatch(rule.source, 'source', contents),
        ...portMatch(rule.destination, 'destination', contents),
      ],
    ];
  }
  return families.map((family) => [
    ...nfproto(family),
    ...protocol,
    ...peerMatch(rule.source, 'source', family, contents),
    ...peerMatch(rule.destination, 'destination', family, contents),
  ]);
}

function nfproto(family: Family): Expression[] {
  // NFPROTO_IPV4 and NFPROTO_IPV6 of linux/netfilter.h
  const value = Uint8Array.of(family === 4 ? 2 : 10);
  return [
    { kind: 'meta', key: 'nfproto', to: register },
    { kind: 'cmp', comparison: '==', register, value },
  ];
}

function peerMatch(
  peer: PeerProgram | undefined,
  side: Side,
  family: Family,
  contents: ContentSets,
): Expression[] {
  if (!peer) return [];
  const { nets, notNets, set, portSet } = peer;
  const ofFamily = (cidrs: readonly Cidr[]) => cidrs.filter((net) => net.family === family);
  const address: Expression = { kind: 'ct tuple', ...addressKeys[side][family], to: register };
  return [
    ...(nets ? netMatch(ofFamily(nets), '==', address, family, contents) : []),
    ...(notNets ? netMatch(ofFamily(notNets), '!=', address, family, contents) : []),
    ...(set === undefined
      ? []
      : [address, { kind: 'lookup' as const, set: addressSetName(set, family), register }]),
    ...(portSet === undefined ? [] : portSetMatch(addressSetName(portSet, family), side, family)),
    ...portMatch(peer, side, contents),
  ];
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

function portMatch(peer: PeerProgram | undefined, side: Side, contents: ContentSets): Expression[] {
  if (!peer?.ports) return [];
  const ranges: Range<number>[] = mergeRanges(peer.ports);
  const port: Expression = { kind: 'ct tuple', ...portKeys[side], to: register };
  const [only] = ranges;
  if (!only || ranges.length > 1) return [port, { kind: 'lookup', set: contents.ports(ranges), register }];
  const compare = (comparison: '==' | '>=' | '<=', value: number): Expression => ({
    kind: 'cmp',
    comparison,
    register,
    value: networkU16(value),
  });
  if (only.first === only.last) return [port, compare('==', only.first)];
  return [port, compare('>=', only.first), compare('<=', only.last)];
}

function portSetMatch(set: string, side: Side, family: Family): Expression[] {
  const words = family === 4 ? 1 : 4;
  return [
    { kind: 'ct tuple', ...addressKeys[side][family], to: registers.narrow(0) },
    { kind: 'ct tuple', key: 'protocol', direction: 'original', to: registers.narrow(words) },
    { kind: 'ct tuple', ...portKeys[side], to: registers.narrow(words + 1) },
    { kind: 'lookup', set, register: registers.narrow(0) },
  ];
}

export function verdict(code: 'accept' | 'drop'): Expression {
  return { kind: 'verdict', verdict: { code } };
}

export function goTo(chain: string): Expression {
  return { kind: 'verdict', verdict: { code: 'goto', chain } satisfies Verdict };
}

export function jump(chain: string): Expression {
  return { kind: 'verdict', verdict: { code: 'jump', chain } satisfies Verdict };
}
