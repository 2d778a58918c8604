// Holds a list of mistakes in the compiler against the clusters that the compiler is held against: each must be found. A mutant that
// none of them tells from the healthy one would mean that the proof has a hole.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { type Cluster, evaluatorOf, type Packet, type Verdict } from '../../../src/policy/index.ts';
import { arbitraryCluster, nodeNames } from '../arbitrary-cluster.ts';
import { differencesIn, type Sample } from '../differences.ts';
import { importMutated, type Mutation } from './mutated-import.ts';
import { pointedClusters } from './pointed-clusters.ts';

const seed = Number(process.env.CALICO_TEST_SEED ?? 20261125);
const most = 2000;
const atOnce = 100;
const every = 5;

interface Judged {
  readonly cluster: Cluster;
  readonly judge: (packet: Packet) => Verdict;
}

/** The pointed ones, and then random ones, made as they are needed; what the evaluator says of them is the same for all mutants, and asked once. */
const clusters: Judged[] = pointedClusters.map((cluster) => ({ cluster, judge: remembering(cluster) }));

function clusterOf(index: number): Judged {
  if (index >= clusters.length) {
    const random = clusters.length - pointedClusters.length;
    const more = fc.sample(arbitraryCluster, { seed: seed + random, numRuns: atOnce });
    clusters.push(...more.map((cluster) => ({ cluster, judge: remembering(cluster) })));
  }
  return clusters[index] ?? assert.fail('no cluster was made');
}

function remembering({ stagedPolicies: _, ...cluster }: Cluster): Judged['judge'] {
  const judge = evaluatorOf(cluster);
  const known = new Map<string, Verdict>();
  return (packet) => {
    const key = JSON.stringify(packet);
    const verdict = known.get(key) ?? judge(packet);
    known.set(key, verdict);
    return verdict;
  };
}

/** Number of the first cluster in which something is wrong; the number of all of them when nothing ever is. */
function firstFinding(differences: typeof differencesIn): number {
  for (let number = 0; number < most; number++) {
    const { cluster, judge } = clusterOf(number);
    try {
      if (differences(cluster, nodeNames, sampleOf(number), judge).difference !== undefined) return number;
    } catch {
      // A mutant that cannot even compile the cluster is found, too.
      return number;
    }
  }
  return most;
}

const judge = pathToFileURL(join(import.meta.dirname, '../differences.ts')).href;

/** All packets of the pointed clusters, one in so many of the others. */
function sampleOf(number: number): Sample {
  const random = number - pointedClusters.length;
  return random < 0 ? { every: 1, from: 0 } : { every, from: random };
}

/** Declares a test for each of them, and one that the healthy compiler is told from all. */
export function mustAllBeCaught(mutations: readonly Mutation[]): void {
  describe(`the clusters of seed ${seed} find it when`, () => {
    for (const mutation of mutations) {
      test(mutation.says, async () => {
        const mutant = (await importMutated(mutation, judge)) as { differencesIn: typeof differencesIn };
        assert.ok(firstFinding(mutant.differencesIn) < most);
      });
    }
  });

  test('the healthy compiler differs in none of the clusters that the mutants were found by', () => {
    for (const [number, { cluster, judge }] of clusters.slice(0, 100).entries())
      assert.equal(differencesIn(cluster, nodeNames, sampleOf(number), judge).difference, undefined);
  });
}
