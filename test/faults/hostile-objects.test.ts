// Objects that reached the store past every validation: each fails closed, is reported, and the rest goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBrokenAgainstVictim } from './broken-policies.ts';
import { hostileObject } from './hostile-objects.ts';
import { HostileStore } from './hostile-store.ts';
import { seeded } from './seeded.ts';

const seed = Number(process.env.CALICO_SEED ?? 20261125);
const rounds = 40;
const objectsPerRound = 25;

test('no object in the store opens what is closed, stops the others or outlives its deletion', async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = seeded(seed);
  const store = new HostileStore('host');
  const closed = new Map<string, number>();
  try {
    await store.inSync;
    await store.assertSound(true);
    for (let round = 0, number = 0; round < rounds; round++) {
      const objects = Array.from({ length: objectsPerRound }, () => hostileObject(number++, random));
      for (const object of objects) store.put(object);
      await store.settled();
      await store.assertSound(false);
      for (const object of objects) store.remove(object);
      await store.settled();
      await store.assertSound(true);
      for (const broken of objects.filter(isBrokenAgainstVictim)) {
        await store.assertClosed(broken);
        const kind = `${broken.kind.group} ${broken.kind.kind}`;
        closed.set(kind, (closed.get(kind) ?? 0) + 1);
      }
    }
    t.diagnostic(`broken policies, each alone: ${JSON.stringify(Object.fromEntries(closed))}`);
    assert.equal(closed.size, 4, 'there were some of every kind of policy');
    for (const [kind, count] of closed) assert.ok(count >= 5, `${count} of ${kind}`);
  } finally {
    store.close();
  }
});
