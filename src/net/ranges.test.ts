import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeRanges, type Range, subtractRanges } from './ranges.ts';

const universe = 40;
const someRanges = fc.array(
  fc.tuple(fc.nat(universe), fc.nat(8)).map(([first, length]) => ({ first, last: first + length })),
  { maxLength: 8 },
);
const members = (ranges: readonly Range<number>[]) => {
  const all = new Set<number>();
  for (const { first, last } of ranges) for (let value = first; value <= last; value++) all.add(value);
  return [...all].sort((a, b) => a - b);
};
const assertApart = (ranges: readonly Range<number>[]) => {
  for (const [index, range] of ranges.entries()) {
    const next = ranges[index + 1];
    assert.ok(range.first <= range.last);
    if (next) assert.ok(range.last + 1 < next.first, 'ranges touch or overlap');
  }
};

test('merging keeps the members and leaves gaps between ranges', () => {
  fc.assert(
    fc.property(someRanges, (ranges) => {
      const merged = mergeRanges(ranges);
      assert.deepEqual(members(merged), members(ranges));
      assertApart(merged);
    }),
  );
});

test('subtracting removes exactly the taken members', () => {
  fc.assert(
    fc.property(someRanges, someRanges, (from, taken) => {
      const rest = subtractRanges(from, taken);
      const without = new Set(members(taken));
      assert.deepEqual(
        members(rest),
        members(from).filter((value) => !without.has(value)),
      );
      assertApart(rest);
    }),
  );
});
