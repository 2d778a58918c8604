// Objects that reached the store past every validation: each fails closed, is reported, and the rest goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostileObject } from './hostile-objects.ts';
import { HostileStore } from './hostile-store.ts';
import { seeded } from './seeded.ts';

const seed = Number(process.env.CALICO_SEED ?? 20261125);
const rounds = 12;
const objectsPerRound = 25;

test('no object in the store opens what is closed, stops the others or outlives its deletion', async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = seeded(seed);
  const store = new HostileStore('host');
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
      const alone = objects[round % objectsPerRound];
      if (!alone) continue;
      store.put(alone);
      await store.settled();
      store.assertClosed(alone);
      store.remove(alone);
    }
    assert.ok(store.complaints.length > rounds, 'what cannot be understood is reported');
  } finally {
    store.close();
  }
});
