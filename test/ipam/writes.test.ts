// How many requests IPAM puts to the store: the price of an address on the hot path, and in a burst.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MemoryDatastore } from '../../src/datastore/index.ts';
import { FollowedSources, IpamClient } from '../../src/ipam/index.ts';
import { formatAddress } from '../../src/net/index.ts';
import { audit, podRequest, smallPool, storeWith } from './cluster.ts';

/** Counts requests by verb and kind until the returned function is called. */
function counting(store: MemoryDatastore): () => Record<string, number> {
  const counts: Record<string, number> = {};
  store.interference = {
    before: async ({ verb, kind }) => {
      counts[`${verb} ${kind}`] = (counts[`${verb} ${kind}`] ?? 0) + 1;
      await turn();
    },
  };
  return () => {
    store.interference = {};
    return counts;
  };
}

for (const family of [4, 6] as const) {
  test(`an agent gives and takes an IPv${family} address with two writes, and reads one handle`, async () => {
    const store = await storeWith({ p: smallPool[family] });
    const client = new IpamClient(store, { view: new FollowedSources(store, 'node-1') });
    await client.autoAssign(podRequest(family, 'first', 'node-1'));
    const assigned = counting(store);
    await client.autoAssign(podRequest(family, 'second', 'node-1'));
    assert.deepEqual(assigned(), { 'create IPAMHandle': 1, 'update IPAMBlock': 1 });
    const released = counting(store);
    await client.releaseByHandle('second');
    assert.deepEqual(released(), { 'get IPAMHandle': 1, 'update IPAMBlock': 1, 'delete IPAMHandle': 1 });
  });

  test(`a burst of 50 IPv${family} requests shares the writes of its block`, async () => {
    const pool = { ...smallPool[family], blockSize: family === 4 ? 26 : 122 };
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store, { view: new FollowedSources(store, 'node-1') });
    await client.autoAssign(podRequest(family, 'first', 'node-1'));
    const counted = counting(store);
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => client.autoAssign(podRequest(family, `h${i}`, 'node-1'))),
    );
    const counts = counted();
    assert.equal(new Set(results.flat().map(formatAddress)).size, 50);
    assert.equal(counts['create IPAMHandle'], 50);
    assert.ok((counts['update IPAMBlock'] ?? 99) <= 5, JSON.stringify(counts));
    assert.deepEqual(Object.keys(counts).toSorted(), ['create IPAMHandle', 'update IPAMBlock']);
    assert.deepEqual(await audit(store), { assigned: 51, excess: 0 });
  });

  test(`a burst that outgrows its IPv${family} blocks claims no more of them than it fills`, async () => {
    const store = await storeWith({ p: smallPool[family] });
    const client = new IpamClient(store, { view: new FollowedSources(store, 'node-1') });
    const counted = counting(store);
    await Promise.all(
      Array.from({ length: 32 }, (_, i) => client.autoAssign(podRequest(family, `h${i}`, 'node-1'))),
    );
    assert.equal(counted()['create IPAMBlock'], 4);
    assert.deepEqual(await audit(store), { assigned: 32, excess: 0 });
  });
}

test('two agents of one node that write the same block both get what they ask for', async () => {
  const store = await storeWith({ p: smallPool[4] });
  const clients = [0, 1].map(() => new IpamClient(store, { view: new FollowedSources(store, 'node-1') }));
  store.interference = { before: () => turn() };
  const results = await Promise.all(
    Array.from({ length: 48 }, (_, i) => clients[i % 2]?.autoAssign(podRequest(4, `h${i}`, 'node-1'))),
  );
  assert.equal(new Set(results.flatMap((addresses) => addresses?.map(formatAddress) ?? [])).size, 48);
  assert.deepEqual(await audit(store), { assigned: 48, excess: 0 });
});
