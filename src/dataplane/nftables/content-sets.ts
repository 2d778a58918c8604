// Sets that a rule carries with it: lists of nets and of ports. They are named after their content and never change,
// so rules that say the same share one.

import type { Element, NftSet } from '../../kernel/index.ts';
import { type Cidr, type Family, mergeRanges, type Range } from '../../net/index.ts';
import { networkU16 } from './bytes.ts';
import { hashOf } from './names.ts';
import { elementsOfRange, netSetOf, type Ranges, rangeElements, rangeOf } from './net-ranges.ts';

export interface ContentSet {
  readonly set: NftSet;
  readonly elements: readonly Element[];
}

/** Ranges of addresses, disjoint and in order, and the name of the set that holds just these. */
export interface NamedRanges {
  readonly name: string;
  readonly family: Family;
  readonly ranges: Ranges;
}

export function namedRanges(family: Family, ranges: Ranges): NamedRanges {
  const name = `cali${family}0-nets-${hashOf(ranges.map(({ first, last }) => `${first}-${last}`).join())}`;
  return { name, family, ranges };
}

export class ContentSets {
  readonly #known = new Map<string, ContentSet & { users: number }>();
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();
  /** Names handed out since the last `takeUses`, once for every time. */
  #uses: string[] = [];

  nets(family: Family, cidrs: readonly Cidr[]): string {
    return this.ranges(namedRanges(family, mergeRanges(cidrs.map(rangeOf))));
  }

  ranges({ name, family, ranges }: NamedRanges): string {
    return this.#use(netSetOf(name, family), () => ranges.flatMap((range) => rangeElements(range, family)));
  }

  ports(ranges: readonly Range<number>[]): string {
    const name = `cali-ports-${hashOf(ranges.map(({ first, last }) => `${first}-${last}`).join())}`;
    return this.#use({ name, key: ['inet_service'], interval: true }, () =>
      ranges.flatMap(({ first, last }) => elementsOfRange(first, last + 1, 65536, networkU16)),
    );
  }

  /** What was handed out since the last call. Whoever takes it owes a `release` of the same names. */
  takeUses(): string[] {
    const uses = this.#uses;
    this.#uses = [];
    return uses;
  }

  release(names: readonly string[]): void {
    for (const name of names) {
      const known = this.#known.get(name);
      if (!known || --known.users > 0) continue;
      this.#known.delete(name);
      // One that the kernel never heard of need not be taken out of it.
      if (!this.#added.delete(name)) this.#removed.add(name);
    }
  }

  /** Sets that have to be made since the last call. */
  takeAdded(): ContentSet[] {
    const added = [...this.#added].flatMap((name) => this.#known.get(name) ?? []);
    this.#added.clear();
    return added;
  }

  /** Names of sets that have to go since the last call. */
  takeRemoved(): string[] {
    const removed = [...this.#removed];
    this.#removed.clear();
    return removed;
  }

  #use(set: NftSet, elements: () => Element[]): string {
    this.#uses.push(set.name);
    const known = this.#known.get(set.name);
    if (known) known.users++;
    else {
      this.#known.set(set.name, { set, elements: elements(), users: 1 });
      // Back before the kernel was told that it is gone: then it is still there.
      if (!this.#removed.delete(set.name)) this.#added.add(set.name);
    }
    return set.name;
  }
}
