import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { addressBytes, addressFromBytes, formatAddress, parseAddress, tryParseAddress } from './address.ts';

const anyAddress = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => ({ family: 4 as const, value })),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => ({ family: 6 as const, value })),
  // Random 128-bit values have no runs of zeros, and those are where formatting goes wrong.
  fc
    .array(fc.constantFrom<bigint[]>(0n, 0n, 1n, 0xffffn, 0xabcn), { minLength: 8, maxLength: 8 })
    .map((groups) => ({
      family: 6 as const,
      value: groups.reduce((all, group) => (all << 16n) | group, 0n),
    })),
);

test('an address survives being written and read', () => {
  fc.assert(
    fc.property(anyAddress, (address) => assert.deepEqual(parseAddress(formatAddress(address)), address)),
  );
});

test('an address survives being turned into bytes and back', () => {
  fc.assert(
    fc.property(anyAddress, (address) => assert.deepEqual(addressFromBytes(addressBytes(address)), address)),
  );
});

test('written addresses are those that ipaddr.js writes', () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      const other = ipaddr.fromByteArray(Array.from(addressBytes(address)));
      const text = other.kind() === 'ipv6' ? (other as ipaddr.IPv6).toRFC5952String() : other.toString();
      // ipaddr.js writes IPv4-mapped addresses in hexadecimal; RFC 5952 section 5 recommends the dotted form.
      if (other.kind() === 'ipv6' && (other as ipaddr.IPv6).isIPv4MappedAddress()) return;
      assert.equal(formatAddress(address), text);
    }),
  );
});

for (const text of [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1..2.3',
  ' 1.2.3.4',
  '1.2.3.4 ',
  '-1.2.3.4',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8:9',
  '12345::',
  'g::',
  '1.2.3.4::',
  'fe80::1%eth0',
]) {
  test(`"${text}" is not an address`, () => assert.equal(tryParseAddress(text), undefined));
}

for (const [text, canonical] of [
  ['0:0:0:0:0:0:0:0', '::'],
  ['2001:DB8::0001', '2001:db8::1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['255.255.255.255', '255.255.255.255'],
] as const) {
  test(`"${text}" is written as "${canonical}"`, () =>
    assert.equal(formatAddress(parseAddress(text)), canonical));
}
