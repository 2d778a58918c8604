// `npm run fuzz -- [--minutes N] [--seed S]`: random clusters without end. Every cluster goes through the calculation and is
// held against the evaluator; every tenth is programmed into the real kernel and probed. The first difference is shrunk to a
// small cluster and printed as YAML, with the command that finds it again.
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { Cluster } from '../src/policy/index.ts';
import { KernelCluster } from '../test/dataplane/kernel-cluster.ts';
import { arbitraryCluster, nodeNames } from '../test/policy/arbitrary-cluster.ts';
import { differencesIn } from '../test/policy/differences.ts';
import type { TortureOptions } from './options.ts';

export async function run({ until, rounds, seed }: TortureOptions): Promise<boolean> {
  const counted = { clusters: 0, packets: 0, inKernel: 0, differences: 0 };
  const kernel = await KernelCluster.make('fuzz');
  const progress = setInterval(() => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r${counted.clusters} clusters, ${counted.packets} packets `);
  }, 500);

  async function examine(cluster: Cluster, isInKernel: boolean): Promise<void> {
    const { packets, difference } = differencesIn(cluster, nodeNames);
    counted.clusters++;
    counted.packets += packets;
    if (difference) throw new Error(difference);
    if (!isInKernel) return;
    await kernel.become({ ...cluster, hostEndpoints: [] });
    await kernel.listen();
    counted.packets += await kernel.check('the kernel');
    counted.inKernel++;
  }

  process.once('SIGINT', async () => {
    await kernel.remove();
    process.exit(130);
  });
  try {
    const result = await fc.check(
      fc.asyncProperty(arbitraryCluster, fc.nat(9), (cluster, dice) => examine(cluster, dice === 0)),
      {
        seed: seed | 0,
        numRuns: Math.min(rounds, 2 ** 31 - 1),
        ...(Number.isFinite(until) && { interruptAfterTimeLimit: until - Date.now() }),
        markInterruptAsFailure: false,
      },
    );
    if (result.failed && result.counterexample) {
      counted.differences++;
      const objects = Object.values(result.counterexample[0]).flat();
      console.log(objects.map((object) => stringify(object)).join('---\n'));
      if (result.errorInstance instanceof Error) console.log(result.errorInstance.message.split('\n')[0]);
      console.log(`Again: npm run fuzz -- --rounds ${result.numRuns} --seed ${seed}`);
    }
  } finally {
    clearInterval(progress);
    await kernel.remove();
  }
  const { clusters, inKernel, packets, differences } = counted;
  console.log(
    `${clusters} clusters (${inKernel} in the kernel), ${packets} packets, ${differences} differences`,
  );
  return differences === 0;
}
