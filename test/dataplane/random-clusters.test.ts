// Random clusters, one after another, in the real kernel: what passes is what the evaluator says should.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { arbitraryCluster } from '../policy/arbitrary-cluster.ts';
import { KernelCluster } from './kernel-cluster.ts';

const seed = Number(process.env.CALICO_TEST_SEED ?? 20261123);
const count = Number(process.env.CALICO_TEST_CLUSTERS ?? 60);

describe('the kernel', () => {
  let kernel: KernelCluster;
  before(async () => {
    kernel = await KernelCluster.make('random');
  });
  after(() => kernel?.remove());
  let cells = 0;

  for (const [index, cluster] of fc.sample(arbitraryCluster, { seed, numRuns: count }).entries()) {
    test(`agrees with the evaluator on every packet of random cluster ${index} of seed ${seed}`, async () => {
      await kernel.become({ ...cluster, hostEndpoints: [] });
      await kernel.listen();
      cells += await kernel.check(`cluster ${index}`);
    });
  }

  test('was asked about enough packets to mean something', () =>
    assert.ok(cells > count * 100, `${cells} packets`));
});
