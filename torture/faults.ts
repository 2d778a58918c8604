// `npm run torture -- faults [--minutes N] [--seed S]`: kills the agents of a cluster of real programs again and again, at
// seeded moments and counted points, under a flood of probes, and prints what the flood saw.

import { KilledCluster, type Moment, moments } from '../test/faults/killed-cluster.ts';
import { seeded } from '../test/faults/seeded.ts';
import type { TortureOptions } from './options.ts';
import { countForbidden, countPermitted, newTally, report } from './report.ts';

/** A batch of probes is accounted for after so many kills: every probe of a batch is held in memory. */
const roundsPerFlood = 5;

export async function run({ isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const random = seeded(seed);
  const tally = newTally();
  const kills = new Map<Moment, number>();
  const killed = await KilledCluster.start(`torture-${process.pid}`);
  let leaked: string[] = [];
  try {
    const before = await killed.holdings();
    killed.recoveriesMs.length = 0;
    while (tally.rounds < rounds && !isOver()) {
      const { permitted, forbidden } = await killed.flood(async () => {
        for (let i = 0; i < roundsPerFlood && tally.rounds < rounds && !isOver(); i++) {
          const moment = moments[Math.floor(random() * moments.length)] ?? 'any';
          await killed.kill(`node-${1 + Math.floor(random() * 2)}`, moment, random());
          tally.rounds++;
          kills.set(moment, (kills.get(moment) ?? 0) + 1);
          for (const name of killed.held.speak()) process.stdout.write(`faults: connection lost: ${name}\n`);
        }
      });
      countForbidden(tally, forbidden);
      countPermitted(tally, permitted);
      for (const { name, sent, arrived } of forbidden)
        if (arrived > 0) process.stdout.write(`faults: ${arrived} of ${sent} wrongly allowed: ${name}\n`);
      for (const { name, sent, arrived, longestLossMs } of permitted) {
        if (arrived < sent)
          process.stdout.write(
            `faults: ${sent - arrived} of ${sent} lost, for ${longestLossMs.toFixed(1)} ms: ${name}\n`,
          );
      }
      process.stdout.write(`faults: ${tally.rounds} rounds\n`);
    }
    leaked = await killed.differences(before);
    tally.connections = killed.held.count;
    tally.connectionsLost = killed.held.lost;
    tally.convergedMs.push(...killed.recoveriesMs);
  } finally {
    await killed.stop();
  }
  process.stdout.write(
    `faults: kills: ${[...kills].map(([moment, count]) => `${count} ${moment}`).join(', ')}; ` +
      `points: ${[...killed.points].map(([moment, count]) => `${count} in ${moment}`).join(', ')}\n` +
      leaked.map((thing) => `faults: differs from before: ${thing}\n`).join(''),
  );
  return report('faults', seed, tally) && leaked.length === 0;
}
