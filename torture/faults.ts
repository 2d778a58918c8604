// `npm run torture -- faults [--minutes N] [--seed S]`: kills the agents of a cluster of real programs again and again, at
// seeded moments and counted points, under a flood of probes, and prints what the flood saw.

import { KilledCluster, moments } from '../test/faults/killed-cluster.ts';
import { seeded } from '../test/faults/seeded.ts';
import type { TortureOptions } from './options.ts';

/** A batch of probes is accounted for after so many kills: every probe of a batch is held in memory. */
const roundsPerFlood = 10;

export async function run({ until, rounds, seed }: TortureOptions): Promise<boolean> {
  const random = seeded(seed);
  const total = { rounds: 0, probes: 0, wronglyAllowed: 0, lost: 0, longestLossMs: 0 };
  const killed = await KilledCluster.start(`torture-${process.pid}`);
  let leaked: string[] = [];
  try {
    const before = await killed.holdings();
    while (total.rounds < rounds && Date.now() < until) {
      const { permitted, forbidden } = await killed.flood(async () => {
        for (let i = 0; i < roundsPerFlood && total.rounds < rounds && Date.now() < until; i++) {
          const moment = moments[Math.floor(random() * moments.length)] ?? 'any';
          await killed.kill(`node-${1 + Math.floor(random() * 2)}`, moment, 1 + Math.floor(random() * 120));
          total.rounds++;
        }
      });
      for (const { sent, arrived } of forbidden) {
        total.probes += sent;
        total.wronglyAllowed += arrived;
      }
      for (const { name, sent, arrived, longestLossMs } of permitted) {
        if (arrived < sent) process.stdout.write(`faults: ${sent - arrived} of ${sent} lost: ${name}\n`);
        total.probes += sent;
        total.lost += sent - arrived;
        total.longestLossMs = Math.max(total.longestLossMs, longestLossMs);
      }
    }
    const after = await killed.holdings();
    leaked = after
      .filter((thing) => !before.includes(thing))
      .concat(before.filter((thing) => !after.includes(thing)));
  } finally {
    await killed.stop();
  }
  const times = killed.recoveriesMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
  process.stdout.write(
    `faults: seed ${seed}, ${total.rounds} kills, ${total.probes} probes, ${total.wronglyAllowed} wrongly allowed, ` +
      `${total.lost} permitted ones lost (longest row ${total.longestLossMs.toFixed(1)} ms), ready again after p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n` +
      leaked.map((thing) => `faults: differs from before: ${thing}\n`).join(''),
  );
  return total.wronglyAllowed === 0 && total.lost === 0 && leaked.length === 0;
}
