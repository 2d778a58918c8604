// `npm run torture -- hostile [--minutes N] [--rounds N] [--seed S]`: puts objects that no validation would let in before an agent
// with a real table and real tunnels, and asks after each batch whether what is closed stays closed, and after its deletion whether
// all is as before. And before real agents: instead of their own Nodes and of the objects named "default", while they run and start.

import { isBrokenAgainstVictim } from '../test/faults/broken-policies.ts';
import { type HostileObject, hostileObject } from '../test/faults/hostile-objects.ts';
import { HostileStore } from '../test/faults/hostile-store.ts';
import { Agents } from './agents/agents.ts';
import { HostileObjects } from './agents/hostile-objects.ts';
import { runHostileRound } from './agents/hostile-round.ts';
import type { TortureOptions } from './options.ts';
import { Random } from './random.ts';

const objectsPerRound = 25;
/** Batches before one agent for each round of the real ones, which take longer. */
const batchesPerRound = 40;

export async function run(options: TortureOptions): Promise<boolean> {
  const { isOver, rounds, seed } = options;
  const agents = await Agents.start({
    id: `torture-hostile-${process.pid}`,
    nodes: 2,
    pools: { four: { cidr: '10.78.0.0/20', blockSize: 26, vxlanMode: 'Always' } },
    families: [4],
  });
  const random = new Random(seed);
  let round = 0;
  let planted = 0;
  try {
    const hostile = new HostileObjects(agents, () => random.next());
    await hostile.remember();
    for (; round < rounds && !isOver(); round++) {
      planted += await runHostileRound(agents, hostile, random, round);
      if (!(await runBatches({ ...options, rounds: batchesPerRound, seed: random.below(2 ** 32) })))
        throw new Error(`the batches behind round ${round} did not hold`);
    }
  } catch (error) {
    process.stdout.write(`hostile: seed ${seed}: ${error instanceof Error ? error.message : error}\n`);
    return false;
  } finally {
    await agents.stop();
  }
  process.stdout.write(
    `hostile: seed ${seed}, ${round} rounds with real agents, ${planted} objects, nobody died, all pods served\n`,
  );
  return true;
}

async function runBatches({ isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const random = new Random(seed);
  const store = new HostileStore('torture');
  let round = 0;
  let number = 0;
  let closed = 0;
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
      for (const broken of objects.filter(isBrokenAgainstVictim)) {
        await store.assertClosed(broken);
        closed++;
      }
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
    `hostile: seed ${seed}, ${round} rounds, ${number} objects, ${store.complaints.length} complaints, ${closed} broken policies closed, nothing opened, nothing stuck\n`,
  );
  return true;
}
