import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Marks } from './marks.ts';

const bitsIn = (mask: number) => mask.toString(2).replaceAll('0', '').length;
const masks = fc.integer({ min: 0, max: 2 ** 32 - 1 }).filter((mask) => bitsIn(mask) >= 8);

test('numbers come back from the bits where they were placed, and touch no others', () => {
  fc.assert(
    fc.property(masks, fc.nat(2 ** 16 - 1), fc.nat(2 ** 32 - 1), (mask, number, others) => {
      const marks = new Marks(mask);
      const value = number & (2 * marks.lastGeneration + 1);
      const placed = marks.place(value);
      assert.equal((placed & ~mask) >>> 0, 0);
      assert.equal(marks.read((placed | (others & ~mask)) >>> 0), value);
      assert.equal(bitsIn(marks.ours), Math.min(16, bitsIn(mask)));
    }),
  );
});

test('upstream’s mask holds 32767 states of policy, the narrowest 127', () => {
  assert.deepEqual([new Marks().ours, new Marks().lastGeneration], [0xffff0000, 0x7fff]);
  assert.deepEqual([new Marks(0xff).ours, new Marks(0xff).lastGeneration], [0xff, 0x7f]);
  assert.throws(() => new Marks(0x7f), RangeError);
});
