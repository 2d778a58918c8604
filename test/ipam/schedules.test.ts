// A few of the random schedules that `npm run torture -- ipam` runs by the thousand: crashes, conflicts, lost and late writes.
import { test } from 'node:test';
import { runSchedule } from '../../torture/ipam/schedule.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const schedules = 30;

test(`no address is given twice and none is lost in ${schedules} random schedules (seed ${seed})`, async () => {
  for (let round = 0; round < schedules; round++) await runSchedule(seed + round);
});
