// Random schedules of IPAM, one after the other: no address twice, none lost, whatever fails. Prints the seed of the first that
// proves otherwise; that seed alone repeats it.

import { runSchedule, type ScheduleResult } from './ipam/schedule.ts';
import type { TortureOptions } from './options.ts';

/** A round is one schedule; the first has the given seed, and each next one a seed greater by one. */
export async function run({ isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const total = { added: 0, refused: 0, collected: 0 };
  const faults: Record<string, number> = {};
  const startedAt = Date.now();
  let done = 0;
  for (; done < rounds && !isOver(); done++) {
    try {
      add(total, faults, await runSchedule(seed + done));
    } catch (error) {
      process.stdout.write(`Schedule ${done} fails, alone: --seed ${seed + done} --rounds 1\n`);
      console.error(error);
      return false;
    }
    if ((done + 1) % 1000 === 0) process.stdout.write(`${done + 1} schedules\n`);
  }
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(
    `${done} schedules in ${seconds} s: ${total.added} pods got their addresses, ${total.refused} requests were refused for ` +
      `want of one, ${total.collected} pieces of garbage were collected; no address given twice, none lost\n` +
      `faults: ${Object.entries(faults)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}\n`,
  );
  return true;
}

function add(
  total: { added: number; refused: number; collected: number },
  faults: Record<string, number>,
  result: ScheduleResult,
): void {
  total.added += result.added;
  total.refused += result.refused;
  total.collected += result.collected;
  for (const [name, count] of Object.entries(result.faults)) faults[name] = (faults[name] ?? 0) + count;
}
