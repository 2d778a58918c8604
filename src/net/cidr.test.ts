import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { type Address, formatAddress } from './address.ts';
import {
  addressAt,
  cidrContains,
  cidrOf,
  cidrSize,
  cidrsOverlap,
  formatCidr,
  lastAddressOf,
  parseCidr,
  tryParseCidr,
  tryParseNet,
} from './cidr.ts';

// Values close to each other, so that blocks nest and touch instead of always being apart.
const near = fc.oneof(
  fc.record({ family: fc.constant(4 as const), value: fc.bigInt({ min: 0x0a000000n, max: 0x0a00ffffn }) }),
  fc.record({
    family: fc.constant(6 as const),
    value: fc.bigInt({ min: 1n << 120n, max: (1n << 120n) + 0xffffn }),
  }),
);
const cidrAround = (address: Address) =>
  fc
    .integer({ min: address.family === 4 ? 14 : 110, max: address.family === 4 ? 32 : 128 })
    .map((length) => cidrOf(address, length));
const anyCidr = near.chain(cidrAround);

test('a CIDR survives being written and read', () => {
  fc.assert(fc.property(anyCidr, (cidr) => assert.deepEqual(parseCidr(formatCidr(cidr)), cidr)));
});

test('containment is what ipaddr.js says', () => {
  fc.assert(
    fc.property(anyCidr, near, (cidr, address) => {
      const other = ipaddr.parse(formatAddress(address));
      const block = ipaddr.parseCIDR(formatCidr(cidr));
      const expected = other.kind() === block[0].kind() && other.match(block);
      assert.equal(cidrContains(cidr, address), expected);
    }),
  );
});

test('two blocks overlap exactly when one holds an end of the other', () => {
  fc.assert(
    fc.property(anyCidr, anyCidr, (a, b) => {
      const ends = (cidr: typeof a) => [{ family: cidr.family, value: cidr.network }, lastAddressOf(cidr)];
      const expected =
        ends(a).some((end) => cidrContains(b, end)) || ends(b).some((end) => cidrContains(a, end));
      assert.equal(cidrsOverlap(a, b), expected);
    }),
  );
});

test('a block has no address beyond its size', () => {
  const cidr = parseCidr('10.0.0.0/26');
  assert.equal(cidrSize(cidr), 64n);
  assert.equal(formatAddress(addressAt(cidr, 63n)), '10.0.0.63');
  assert.throws(() => addressAt(cidr, 64n), /10\.0\.0\.0\/26 has no address at offset 64/);
});

test('host bits are cleared', () => assert.equal(formatCidr(parseCidr('10.1.2.3/8')), '10.0.0.0/8'));

for (const text of [
  '10.0.0.0',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/08',
  '::/129',
  '/8',
  'a/8',
]) {
  test(`"${text}" is not a CIDR`, () => assert.equal(tryParseCidr(text), undefined));
}

test('a bare address is a net of one', () => {
  const net = tryParseNet('2001:db8::1');
  assert.ok(net);
  assert.equal(formatCidr(net), '2001:db8::1/128');
});
