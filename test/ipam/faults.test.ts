// IPAM when many work at once, when writers die between two writes, and when replies are lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { UnavailableError } from '../../src/datastore/index.ts';
import { IpamClient } from '../../src/ipam/index.ts';
import { formatAddress } from '../../src/net/index.ts';
import { ipamHandles } from '../../src/resources/index.ts';
import { audit, podRequest, smallPool, storeWith } from './cluster.ts';

const writes = new Set(['create', 'update', 'delete']);

/** A writer that is gone; no code may take it for an answer of the store. */
class Crash extends Error {}

for (const family of [4, 6] as const) {
  const pool = smallPool[family];

  test(`clients that race for the same IPv${family} pool never share an address`, async () => {
    const store = await storeWith({ p: pool });
    // Every request yields before it is served, so that reads and writes of all clients interleave.
    store.interference = { before: () => turn() };
    const results = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        new IpamClient(store).autoAssign(podRequest(family, `h${i}`, `node-${i % 4}`)),
      ),
    );
    const texts = results.flat().map(formatAddress);
    assert.equal(texts.length, 64);
    assert.equal(new Set(texts).size, 64);
    assert.deepEqual(await audit(store), { assigned: 64, excess: 0 });
  });

  test(`IPv${family} addresses assigned and released in a crowd leave nothing behind`, async () => {
    const store = await storeWith({ p: pool });
    store.interference = { before: () => turn() };
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const client = new IpamClient(store);
        for (let round = 0; round < 3; round++) {
          const addresses = await client.autoAssign(podRequest(family, `h${i}`, `node-${i % 5}`));
          if (round % 2 === 0) await client.releaseByHandle(`h${i}`);
          else await client.releaseAddresses(addresses, `h${i}`);
        }
      }),
    );
    assert.deepEqual(await audit(store), { assigned: 0, excess: 0 });
    assert.deepEqual(await store.list(ipamHandles), []);
  });

  for (const [moment, hook] of [
    ['before', 'before'],
    ['after', 'after'],
  ] as const) {
    test(`a writer that dies ${moment} any of its writes loses no IPv${family} address for good`, async () => {
      // Until the script runs to its end without reaching the fatal write.
      for (let fatal = 1, survived = false; !survived; fatal++) {
        const store = await storeWith({ p: pool });
        let count = 0;
        let isDead = false;
        const die = ({ verb }: { verb: string }) => {
          if (isDead) throw new Crash('dead already');
          if (writes.has(verb) && ++count === fatal) {
            isDead = true;
            throw new Crash(`died ${moment} write ${fatal}`);
          }
        };
        store.interference = {
          ...(hook === 'after' && {
            before: () => {
              if (isDead) throw new Crash('dead already');
            },
          }),
          [hook]: die,
        };
        const client = new IpamClient(store);
        try {
          await client.autoAssign(podRequest(family, 'a', 'node-1', 9));
          await client.autoAssign(podRequest(family, 'b', 'node-1', 2));
          await client.releaseByHandle('a');
          await client.releaseHostAffinities('node-1', { mustBeEmpty: false });
          survived = true;
        } catch (error) {
          const fault = error instanceof AggregateError ? error.errors[0] : error;
          assert.ok(fault instanceof Crash, String(error));
        }
        await audit(store);
        const heir = new IpamClient(store);
        const all = await heir.autoAssign(podRequest(family, 'c', 'node-1'));
        assert.equal(all.length, 1);
        for (const handle of ['a', 'b', 'c']) await heir.releaseByHandle(handle);
        assert.deepEqual(await audit(store), { assigned: 0, excess: 0 });
        assert.deepEqual(await store.list(ipamHandles), [], `handles after write ${fatal}`);
        // Everything can be had again, by one node: no block is lost either.
        assert.equal((await heir.autoAssign(podRequest(family, 'd', 'node-1', 64))).length, 64);
      }
    });
  }

  test(`lost replies cost IPv${family} addresses only until their handle is released`, async () => {
    const store = await storeWith({ p: pool });
    let count = 0;
    store.interference = {
      after: ({ verb }) => {
        if (writes.has(verb) && ++count % 5 === 0) throw new UnavailableError('The reply was lost');
      },
    };
    const held = new Set<string>();
    const client = new IpamClient(store);
    for (let i = 0; i < 30; i++) {
      try {
        for (const address of await client.autoAssign(podRequest(family, `h${i}`, 'node-1'))) {
          assert.ok(!held.has(formatAddress(address)), 'handed out twice');
          held.add(formatAddress(address));
        }
      } catch (error) {
        const fault = error instanceof AggregateError ? error.errors[0] : error;
        assert.ok(fault instanceof UnavailableError, String(error));
      }
    }
    assert.ok(count > 30);
    const { assigned } = await audit(store);
    assert.ok(assigned >= held.size);
    for (let i = 0; i < 30; i++) await client.releaseByHandle(`h${i}`);
    assert.deepEqual(await audit(store), { assigned: 0, excess: 0 });
    assert.deepEqual(await store.list(ipamHandles), []);
  });
}
