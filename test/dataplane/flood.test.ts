// No packet is judged by a mix of two states of policy. `npm run torture -- flood` does the same for longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../faults/seeded.ts';
import { flood } from './flood.ts';
import { KernelCluster } from './kernel-cluster.ts';

const seed = Number(process.env.CALICO_TEST_SEED ?? 20261125);
const changes = 500;

test(`a flood through ${changes} changes of policy, and tables made anew, sees what all of them permit, and nothing else (seed ${seed})`, async () => {
  const kernel = await KernelCluster.make('flood');
  try {
    const { probes, wrong } = await flood(kernel, { changes, replaced: 0.2, random: seeded(seed) });
    assert.deepEqual(wrong, []);
    assert.ok(probes > changes, `${probes} probes`);
  } finally {
    await kernel.remove();
  }
});
