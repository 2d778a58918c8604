// `npm run torture -- api-server [--minutes N] [--seed S]`: makes the API server of a cluster of real programs fail in every way,
// in seeded order, while policies change, under a flood of probes.

import { type ApiFaultName, apiFaults, FaultyApi } from '../test/faults/faulty-api.ts';
import type { TortureOptions } from './options.ts';
import { Random } from './random.ts';
import { countForbidden, countPermitted, countSent, newTally, report } from './report.ts';

const names = Object.keys(apiFaults) as ApiFaultName[];
/** An agent gives up a watch on which it has heard nothing for two and a half minutes. */
const untilSilenceIsNoticedMs = 155_000;

export async function run({ isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const random = new Random(seed);
  const tallies = new Map(names.map((name) => [name, newTally()]));
  const faulty = await FaultyApi.start(`torture-${process.pid}`);
  try {
    const { killed } = faulty;
    for (let round = 0; round < rounds && !isOver(); round++) {
      const name = names[round % names.length] ?? 'stopped';
      const ms =
        name === 'silent'
          ? untilSilenceIsNoticedMs
          : round < names.length && name === 'stopped'
            ? 60_000
            : random.between(500, 15_000);
      if (isOver(ms)) continue;
      process.stdout.write(`api-server: ${name} for ${Math.round(ms)} ms\n`);
      const { permitted, forbidden, convergedMs } = await faulty.endure(name, ms);
      const tally = tallies.get(name) ?? newTally();
      tally.rounds++;
      tally.convergedMs.push(convergedMs);
      tally.connections = killed.held.count;
      countForbidden(tally, forbidden);
      // An empty store cuts running pods off, as the documentation says.
      if (name === 'empty') countSent(tally, permitted);
      else countPermitted(tally, permitted);
      tally.connectionsLost += killed.held.speak().length;
    }
  } finally {
    await faulty.stop();
  }
  return [...tallies]
    .filter(([, { rounds: done }]) => done > 0)
    .map(([name, tally]) => report(`api-server ${name}`, seed, tally))
    .every((isWell) => isWell);
}
