import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseCidr } from '../net/index.ts';
import {
  addressOf,
  assign,
  assignOrdinal,
  type BlockSpec,
  emptyBlock,
  holderOf,
  isEmpty,
  ordinalsOf,
  release,
} from './block.ts';

const now = new Date('2026-01-31T12:00:00Z');
const owner = (handleId: string) => ({ handleId, attributes: { pod: handleId } });

/** What must hold of a block whatever was done to it. */
function checkInvariants(spec: BlockSpec, size: number): void {
  assert.equal(spec.allocations.length, size);
  const free = new Set(spec.unallocated);
  assert.equal(free.size, spec.unallocated.length, 'an ordinal is queued twice');
  const used = new Set<number>();
  for (const [ordinal, index] of spec.allocations.entries()) {
    assert.equal(free.has(ordinal), index === null, `ordinal ${ordinal} is neither free nor taken, or both`);
    const hasNumber = spec.sequenceNumberForAllocation?.[ordinal] !== undefined;
    assert.equal(hasNumber, index !== null, `ordinal ${ordinal} and its sequence number`);
    if (index === null) continue;
    assert.ok(spec.attributes[index], `ordinal ${ordinal} names no attribute`);
    used.add(index);
  }
  assert.equal(used.size, spec.attributes.length, 'an attribute is nobody’s');
}

const step = fc.oneof(
  fc.record({
    act: fc.constant('assign' as const),
    count: fc.nat(5),
    handle: fc.constantFrom('a', 'b', 'c'),
  }),
  fc.record({ act: fc.constant('this' as const), ordinal: fc.nat(15), handle: fc.constantFrom('a', 'b') }),
  fc.record({ act: fc.constant('release' as const), ordinals: fc.array(fc.nat(15), { maxLength: 6 }) }),
  fc.record({ act: fc.constant('release handle' as const), handle: fc.constantFrom('a', 'b', 'c') }),
);

for (const cidr of ['10.0.0.0/28', 'fd00::/124']) {
  test(`any sequence of assignments and releases keeps ${cidr} consistent and true to its owners`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let spec = emptyBlock(parseCidr(cidr), 'host:n', now);
        const owners = new Map<number, string>();
        for (const move of steps) {
          const before = spec.sequenceNumber ?? 0;
          const old = spec;
          if (move.act === 'assign') {
            const result = assign(spec, move.count, owner(move.handle));
            assert.deepEqual(result.ordinals, spec.unallocated.slice(0, move.count));
            spec = result.spec;
            for (const ordinal of result.ordinals) owners.set(ordinal, move.handle);
          } else if (move.act === 'this') {
            const next = assignOrdinal(spec, move.ordinal, owner(move.handle));
            assert.equal(next === undefined, owners.has(move.ordinal));
            if (next) owners.set(move.ordinal, move.handle);
            spec = next ?? spec;
          } else {
            const ordinals = move.act === 'release' ? move.ordinals : ordinalsOf(spec, move.handle);
            spec = release(spec, ordinals);
            for (const ordinal of ordinals) owners.delete(ordinal);
          }
          checkInvariants(spec, 16);
          assert.ok(spec === old || (spec.sequenceNumber ?? 0) > before, 'the sequence number must grow');
          for (let ordinal = 0; ordinal < 16; ordinal++) {
            assert.equal(holderOf(spec, ordinal)?.handle_id, owners.get(ordinal));
          }
        }
        assert.equal(isEmpty(spec), owners.size === 0);
      }),
    );
  });
}

test('what was freed last is handed out last', () => {
  const full = assign(emptyBlock(parseCidr('10.0.0.0/30'), 'host:n', now), 4, owner('a')).spec;
  const freed = release(release(full, [2]), [0]);
  assert.deepEqual(assign(freed, 4, owner('b')).ordinals, [2, 0]);
});

test('ordinals are addresses in order, in either family', () => {
  const text = (cidr: string, ordinal: number) =>
    formatAddress(addressOf(emptyBlock(parseCidr(cidr), 'host:n', now), ordinal));
  assert.equal(text('10.0.0.64/26', 63), '10.0.0.127');
  assert.equal(text('fd00::40/122', 63), 'fd00::7f');
});

test('a block whose numbers are nanoseconds still counts upwards', () => {
  const block = {
    ...emptyBlock(parseCidr('10.0.0.0/30'), 'host:n', now),
    sequenceNumber: 1_790_000_000_000_000_000,
  };
  const { spec } = assign(block, 1, owner('a'));
  assert.ok((spec.sequenceNumber ?? 0) > block.sequenceNumber);
});
