// Sets of integers as sorted, disjoint, non-adjacent ranges: what ports and prefixes become before the kernel sees them.

/** Inclusive on both ends. */
export interface Range<T extends number | bigint> {
  readonly first: T;
  readonly last: T;
}

/** The union of ranges in any order, with overlapping and touching ones merged. */
export function mergeRanges<T extends number | bigint>(ranges: readonly Range<T>[]): Range<T>[] {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: Range<T>[] = [];
  for (const range of sorted) {
    const previous = merged.at(-1);
    if (previous && range.first <= successor(previous.last)) {
      if (range.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: range.last };
    } else merged.push(range);
  }
  return merged;
}

/** What of `from` is not in `taken`; both in any order. */
export function subtractRanges<T extends number | bigint>(
  from: readonly Range<T>[],
  taken: readonly Range<T>[],
): Range<T>[] {
  const cuts = mergeRanges(taken);
  const rest: Range<T>[] = [];
  for (const range of mergeRanges(from)) {
    let first = range.first;
    for (const cut of cuts) {
      if (cut.last < first) continue;
      if (cut.first > range.last) break;
      if (cut.first > first) rest.push({ first, last: predecessor(cut.first) });
      first = successor(cut.last);
    }
    if (first <= range.last) rest.push({ first, last: range.last });
  }
  return rest;
}

function successor<T extends number | bigint>(value: T): T {
  return (typeof value === 'bigint' ? value + 1n : Number(value) + 1) as T;
}

function predecessor<T extends number | bigint>(value: T): T {
  return (typeof value === 'bigint' ? value - 1n : Number(value) - 1) as T;
}
