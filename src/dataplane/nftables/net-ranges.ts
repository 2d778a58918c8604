// Networks as the ranges of an interval set, and how such a set is brought from some to others.
import type { NftSet } from '../../kernel/index.ts';
import { type Family, lastAddressOf, mergeRanges, type Range, tryParseNet } from '../../net/index.ts';
import { rangeElements } from './content-sets.ts';
import type { TableWriter } from './table-image.ts';

export type Ranges = readonly Range<bigint>[];

/** CIDRs and addresses of one family, disjoint however they overlap. What is neither is left out. */
export function rangesOf(nets: Iterable<string>, family: Family): Ranges {
  const cidrs = [...nets].flatMap((net) => tryParseNet(net) ?? []).filter((cidr) => cidr.family === family);
  return mergeRanges(cidrs.map((cidr) => ({ first: cidr.network, last: lastAddressOf(cidr).value })));
}

export function netSetOf(name: string, family: Family): NftSet {
  return { name, key: [family === 4 ? 'ipv4_addr' : 'ipv6_addr'], interval: true };
}

/** Takes out of the set what is no more, and puts in what is new. */
export function changeRanges(
  transaction: TableWriter,
  set: NftSet,
  family: Family,
  before: Ranges,
  after: Ranges,
): void {
  const without = (list: Ranges, others: Ranges) => {
    const texts = new Set(others.map(textOf));
    return list.filter((range) => !texts.has(textOf(range))).flatMap((range) => rangeElements(range, family));
  };
  transaction.deleteElements(set, without(before, after));
  transaction.addElements(set, without(after, before));
}

function textOf({ first, last }: Range<bigint>): string {
  return `${first}-${last}`;
}
