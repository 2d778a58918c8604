// Ranges as the elements of an interval set: networks, and how such a set is brought from some to others.
import type { Element, NftSet } from '../../kernel/index.ts';
import {
  addressBytes,
  bitsOf,
  type Cidr,
  type Family,
  lastAddressOf,
  mergeRanges,
  type Range,
  tryParseNet,
} from '../../net/index.ts';
import type { TableWriter } from './table-image.ts';

export type Ranges = readonly Range<bigint>[];

/** CIDRs and addresses of one family, disjoint however they overlap. What is neither is left out. */
export function rangesOf(nets: Iterable<string>, family: Family): Ranges {
  const cidrs = [...nets].flatMap((net) => tryParseNet(net) ?? []).filter((cidr) => cidr.family === family);
  return mergeRanges(cidrs.map(rangeOf));
}

export function rangeOf(cidr: Cidr): Range<bigint> {
  return { first: cidr.network, last: lastAddressOf(cidr).value };
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

/** A range of addresses as elements of an interval set. */
export function rangeElements({ first, last }: Range<bigint>, family: Family): Element[] {
  const end = 1n << BigInt(bitsOf(family));
  return elementsOfRange(first, last + 1n, end, (value) => addressBytes({ family, value }));
}

/** A range is its first key and, unless it goes to the very end, the first key after it. */
export function elementsOfRange<T>(first: T, next: T, end: T, bytes: (value: T) => Uint8Array): Element[] {
  return [{ key: bytes(first) }, ...(next === end ? [] : [{ key: bytes(next), isEnd: true }])];
}

function textOf({ first, last }: Range<bigint>): string {
  return `${first}-${last}`;
}
