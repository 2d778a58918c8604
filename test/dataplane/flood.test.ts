// No packet is judged by a mix of two states of policy. `npm run torture -- flood` does the same for longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../faults/seeded.ts';
import { type FloodReport, flood } from './flood.ts';
import { hostPlain, hostScenarios } from './host-flood.ts';
import { HostLab } from './host-lab.ts';
import { KernelCluster } from './kernel-cluster.ts';
import { podPlain, podScenario } from './pod-flood.ts';

const seed = Number(process.env.CALICO_TEST_SEED ?? 20261125);

function expectSound({ probes, wrong }: FloodReport, changes: number): void {
  assert.deepEqual(wrong, []);
  assert.ok(probes > changes, `${probes} probes`);
}

const podChanges = 500;
test(`a flood through ${podChanges} changes of policy, and tables made anew, sees what all of them permit, and nothing else (seed ${seed})`, async () => {
  const kernel = await KernelCluster.make('flood');
  try {
    const options = { changes: podChanges, replaced: 0.2, random: seeded(seed) };
    expectSound(await flood(podPlain(kernel), podScenario(), options), podChanges);
  } finally {
    await kernel.remove();
  }
});

/** Packets take long between our chains, so that nearly every change finds some of them everywhere. */
const slowness = 5;
const slowChanges = 100;
test(`likewise through ${slowChanges} changes where packets take their time (seed ${seed})`, async () => {
  const kernel = await KernelCluster.make('flood');
  try {
    const options = { changes: slowChanges, replaced: 0.1, slowness, random: seeded(seed) };
    expectSound(await flood(podPlain(kernel), podScenario(), options), slowChanges);
  } finally {
    await kernel.remove();
  }
});

for (const [name, scenario] of Object.entries(hostScenarios)) {
  test(`likewise through ${slowChanges} changes of ${name} (seed ${seed})`, async () => {
    const lab = await HostLab.make('hflood');
    try {
      const options = { changes: slowChanges, replaced: 0.1, slowness, random: seeded(seed) };
      expectSound(await flood(hostPlain(lab), scenario(), options), slowChanges);
    } finally {
      await lab.remove();
    }
  });
}
