// `npm run fuzz -- [--minutes N] [--seed S]`: random clusters without end. Every cluster goes through the calculation and is
// held against the evaluator; every tenth is programmed into the kernels of three nodes by their agents, and probed. A
// difference is shrunk to a small cluster and printed as YAML, with the command that finds it again; so is what the calculation
// cannot understand, or trips over.
import fc from 'fast-check';
import { InvalidResourceError } from '../src/datastore/index.ts';
import type { Cluster } from '../src/policy/index.ts';
import { AgentCluster } from '../test/dataplane/agents/agent-cluster.ts';
import { arbitraryPlacedCluster } from '../test/dataplane/agents/arbitrary-placed-cluster.ts';
import { type Examined, examine } from '../test/dataplane/agents/examine.ts';
import { Waves } from '../test/dataplane/agents/wave.ts';
import { arbitraryCluster, nodeNames } from '../test/policy/arbitrary-cluster.ts';
import { differencesIn } from '../test/policy/differences.ts';
import { findIn } from '../test/policy/finding.ts';
import { manifestOf } from '../test/policy/manifest-of.ts';
import { shrink } from '../test/policy/shrink.ts';
import type { TortureOptions } from './options.ts';
import { Random } from './random.ts';

const shrinkingMs = 10 * 60_000;
/** More of them would be the same ones again: they are told, and not shrunk. */
const mostShrunk = 3;
/** What should arrive and does not is not waited for as long as the first time. */
const shrinkingArrivalMs = 1_000;

export async function run({ isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const counted = { clusters: 0, packets: 0, inKernel: 0, left: 0, differences: 0 };
  const agents = await AgentCluster.start(`fuzz-${process.pid}`);
  const waves = new Waves((place) => agents.pathOf(place));
  const end = async () => {
    waves[Symbol.dispose]();
    await agents.stop();
  };
  process.once('SIGINT', () => void end().finally(() => process.exit(130)));
  const progress = setInterval(() => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r${counted.clusters} clusters, ${counted.packets} packets `);
  }, 500);

  /** Undefined when all agree. */
  async function lookAt(clusterSeed: number): Promise<Found | undefined> {
    const calculated = sample(arbitraryCluster, clusterSeed);
    const { packets, finding } = findIn(calculated, (cluster) => differencesIn(cluster, nodeNames));
    counted.clusters++;
    counted.packets += packets;
    if (finding) return { cluster: calculated, difference: finding.difference, fails: finding.isIn };
    // By the seed alone, so that the same one leads to the same thing again.
    if (new Random(clusterSeed).below(10) > 0) return undefined;
    const cluster = sample(arbitraryPlacedCluster, clusterSeed);
    const examined = await examine(agents, waves, cluster);
    counted.inKernel++;
    counted.packets += examined.packets;
    counted.left += examined.left;
    if (!examined.difference) return undefined;
    return { cluster, difference: examined.difference, fails: (smaller) => failsInKernel(smaller, examined) };
  }

  async function failsInKernel(cluster: Cluster, { only }: Examined): Promise<boolean> {
    try {
      const { difference } = await examine(agents, waves, cluster, { only, arrivalMs: shrinkingArrivalMs });
      return difference !== undefined;
    } catch (error) {
      // What the API refuses shows nothing.
      if (error instanceof InvalidResourceError) return false;
      throw error;
    }
  }

  async function tell(
    { cluster, difference, fails }: Found,
    clusterSeed: number,
    round: number,
  ): Promise<void> {
    const again = `Again: npm run fuzz -- --rounds 1 --seed ${clusterSeed}`;
    if (counted.differences > mostShrunk) return console.log(`${difference}\n${again}`);
    const isAgain = await fails(cluster);
    const deadline = Date.now() + shrinkingMs;
    const smallest = isAgain
      ? await shrink(cluster, { fails, isOver: () => Date.now() > deadline })
      : cluster;
    console.log(manifestOf(smallest));
    console.log(difference);
    console.log(
      isAgain
        ? again
        : `Only after the clusters before it; again: npm run fuzz -- --rounds ${round + 1} --seed ${seed}`,
    );
  }

  try {
    for (let round = 0; round < rounds && !isOver(); round++) {
      const clusterSeed = (seed + round) >>> 0;
      const found = await lookAt(clusterSeed).catch((cause: unknown) => {
        throw new Error(`Cannot be looked at; again: npm run fuzz -- --rounds 1 --seed ${clusterSeed}`, {
          cause,
        });
      });
      if (!found) continue;
      counted.differences++;
      await tell(found, clusterSeed, round);
    }
  } finally {
    clearInterval(progress);
    await end();
  }
  const { clusters, inKernel, packets, left, differences } = counted;
  console.log(
    `${clusters} clusters (${inKernel} in the kernel), ${packets} packets (${left} more could not be probed), ${differences} differences`,
  );
  return differences === 0;
}

interface Found {
  readonly cluster: Cluster;
  readonly difference: string;
  readonly fails: (cluster: Cluster) => boolean | Promise<boolean>;
}

function sample(arbitrary: fc.Arbitrary<Cluster>, seed: number): Cluster {
  const [cluster] = fc.sample(arbitrary, { seed: seed | 0, numRuns: 1 });
  if (!cluster) throw new Error('fast-check made no cluster');
  return cluster;
}
