import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../../net/index.ts';
import { eachMessage, MessageWriter, type NetlinkMessage } from '../netlink/index.ts';
import { decodeAddress, writeAddress } from './address.ts';
import { macBytes, macText } from './mac-address.ts';
import { decodeForwardingEntry, decodeNeighbour, writeForwardingEntry, writeNeighbour } from './neighbour.ts';
import { decodeRoute, type Route, writeRoute } from './route.ts';

function encoded(write: (writer: MessageWriter) => void): NetlinkMessage {
  const writer = new MessageWriter();
  writer.begin(1, 0, 1);
  write(writer);
  const messages: NetlinkMessage[] = [];
  eachMessage(writer.end().finish(), (message) => messages.push(message));
  const [message] = messages;
  assert.ok(message);
  return message;
}

const u32 = fc.integer({ min: 1, max: 0x7fffffff });
const u8 = fc.integer({ min: 0, max: 255 });
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macText(bytes) ?? '');
const addresses = {
  4: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => formatAddress({ family: 4, value })),
  6: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => formatAddress({ family: 6, value })),
};
const family = fc.constantFrom(4 as const, 6 as const);
const plain = { noNullPrototype: true } as const;

test('a MAC address that was encoded decodes to itself', () => {
  fc.assert(fc.property(mac, (text) => assert.equal(macText(macBytes(text)), text)));
  assert.equal(macText(new Uint8Array(4)), undefined);
});

test('a route that was encoded decodes to itself', () => {
  const route = family.chain((family) =>
    fc.record<Route, 'destination' | 'type' | 'table' | 'protocol' | 'scope' | 'onlink' | 'metric'>(
      {
        destination: fc
          .tuple(addresses[family], fc.integer({ min: 0, max: family === 4 ? 32 : 128 }))
          .map(([address, length]) => `${address}/${length}`),
        type: fc.constantFrom('unicast', 'local', 'blackhole', 'unreachable', 'prohibit', 'throw'),
        table: u32,
        protocol: u8,
        scope: u8,
        onlink: fc.boolean(),
        metric: fc.oneof(fc.constant(0), u32),
        via: addresses[family],
        link: u32,
        source: addresses[family],
        mtu: u32,
      },
      { ...plain, requiredKeys: ['destination', 'type', 'table', 'protocol', 'scope', 'onlink', 'metric'] },
    ),
  );
  fc.assert(
    fc.property(route, (route) =>
      assert.deepEqual(decodeRoute(encoded((writer) => writeRoute(writer, route))), route),
    ),
  );
});

test('an address that was encoded decodes to itself', () => {
  const address = family.chain((family) =>
    fc.record(
      {
        link: u32,
        address: addresses[family],
        prefixLength: fc.integer({ min: 0, max: family === 4 ? 32 : 128 }),
        scope: u8,
        noDad: fc.boolean(),
      },
      plain,
    ),
  );
  fc.assert(
    fc.property(address, (address) =>
      assert.deepEqual(decodeAddress(encoded((writer) => writeAddress(writer, address))), {
        ...address,
        tentative: false,
      }),
    ),
  );
});

test('neighbours and forwarding entries that were encoded decode to themselves, and not to each other', () => {
  const neighbour = family.chain((family) =>
    fc.record({ link: u32, address: addresses[family], mac }, plain),
  );
  fc.assert(
    fc.property(neighbour, ({ link, address, mac }) => {
      const asNeighbour = encoded((writer) => writeNeighbour(writer, { link, address, mac }));
      assert.deepEqual(decodeNeighbour(asNeighbour), { link, address, mac, permanent: true, proxy: false });
      assert.equal(decodeForwardingEntry(asNeighbour), undefined);
      const asEntry = encoded((writer) => writeForwardingEntry(writer, { link, mac, destination: address }));
      assert.deepEqual(decodeForwardingEntry(asEntry), { link, mac, destination: address, permanent: true });
      assert.equal(decodeNeighbour(asEntry), undefined);
    }),
  );
});
