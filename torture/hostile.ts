// `npm run torture -- hostile [--minutes N] [--seed S]`: puts objects that no validation would let in before an agent with a real
// table, and asks after each batch whether what is closed stays closed, and after its deletion whether all is as before.

import { type HostileObject, hostileObject } from '../test/faults/hostile-objects.ts';
import { HostileStore } from '../test/faults/hostile-store.ts';
import type { TortureOptions } from './options.ts';
import { Random } from './random.ts';

const objectsPerRound = 25;

export async function run({ isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const random = new Random(seed);
  const store = new HostileStore('torture');
  let round = 0;
  let number = 0;
  let objects: HostileObject[] = [];
  try {
    await store.inSync;
    for (; round < rounds && !isOver(); round++) {
      objects = Array.from({ length: objectsPerRound }, () => hostileObject(number++, () => random.next()));
      for (const object of objects) store.put(object);
      await store.settled();
      await store.assertSound(false);
      for (const object of objects) store.remove(object);
      await store.settled();
      await store.assertSound(true);
      const alone = random.pick(objects);
      store.put(alone);
      await store.settled();
      store.assertClosed(alone);
      store.remove(alone);
    }
  } catch (error) {
    const words = objects.map(({ object }) => JSON.stringify(object).slice(0, 600)).join('\n');
    process.stdout.write(
      `hostile: round ${round}: ${error instanceof Error ? error.stack : error}\n${words}\n`,
    );
    return false;
  } finally {
    store.close();
  }
  process.stdout.write(
    `hostile: seed ${seed}, ${round} rounds, ${number} objects, ${store.complaints.length} complaints, nothing opened, nothing stuck\n`,
  );
  return true;
}
