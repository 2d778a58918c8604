import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from './crc32c.ts';
import { decodeSctp, encodeSctp } from './sctp-packet.ts';

test('the CRC-32C of the digits 1 to 9 is the check value that catalogues of CRCs give', () => {
  assert.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283);
});

const packet = fc.record(
  {
    kind: fc.constantFrom('INIT' as const, 'INIT ACK' as const),
    sourcePort: fc.integer({ min: 0, max: 65535 }),
    destinationPort: fc.integer({ min: 0, max: 65535 }),
    verificationTag: fc.integer({ min: 0, max: 0xffffffff }),
    initiateTag: fc.integer({ min: 1, max: 0xffffffff }),
  },
  { noNullPrototype: true },
);

test('an SCTP opening that was encoded decodes to itself', () => {
  fc.assert(fc.property(packet, (sent) => assert.deepEqual(decodeSctp(Buffer.from(encodeSctp(sent))), sent)));
});

test('an SCTP packet with one changed byte is not read', () => {
  fc.assert(
    fc.property(packet, fc.nat({ max: 31 }), fc.integer({ min: 1, max: 255 }), (sent, at, change) => {
      const bytes = encodeSctp(sent);
      bytes[at] = (bytes[at] ?? 0) ^ change;
      assert.equal(decodeSctp(bytes), undefined);
    }),
  );
});

test('packets that are too short or of another chunk are not read', () => {
  assert.equal(decodeSctp(new Uint8Array(31)), undefined);
  assert.equal(decodeSctp(new Uint8Array(64)), undefined);
});
