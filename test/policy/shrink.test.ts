// What the fuzzer finds it makes small, whatever the mistake is that it has found.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type { Cluster } from '../../src/policy/index.ts';
import { arbitraryCluster, nodeNames } from './arbitrary-cluster.ts';
import type { Differences, Sample } from './differences.ts';
import { findIn } from './finding.ts';
import { compilerMutations } from './mutations/compiler-mutations.ts';
import { importMutated, type Mutation } from './mutations/mutated-import.ts';
import { shrink } from './shrink.ts';

const judge = pathToFileURL(join(import.meta.dirname, 'differences.ts')).href;
const trips: Mutation = {
  says: 'the compiler trips over blocks with holes',
  file: 'policy/kubernetes/network-policy.ts',
  find: '...(notNets.length > 0 && { notNets })',
  replace: "...(notNets.length > 0 && { notNets: assertNot('holes') })",
};
const mutations = [
  ...['except of an ipBlock', 'a range of ports of a ClusterNetworkPolicy', 'tiers are asked in the opp'].map(
    (says) => compilerMutations.find((mutation) => mutation.says.startsWith(says)) ?? assert.fail(says),
  ),
  trips,
];

describe('the fuzzer makes a cluster small that shows it when', () => {
  for (const mutation of mutations) {
    test(mutation.says, async () => {
      const { differencesIn } = (await importMutated(mutation, judge)) as {
        differencesIn: (cluster: Cluster, nodes: readonly string[], sample?: Sample) => Differences;
      };
      const sampled = (cluster: Cluster) => differencesIn(cluster, nodeNames, { every: 5, from: 0 });
      const cluster = firstShowing(sampled);
      // A smaller cluster has fewer packets: a sample of them would be another one.
      const { finding } = findIn(cluster, (smaller) => differencesIn(smaller, nodeNames));
      assert.ok(finding);
      const smallest = await shrink(cluster, { fails: finding.isIn });
      assert.ok(finding.isIn(smallest));
      const { pods, networkPolicies, calicoPolicies, globalPolicies, clusterPolicies } = smallest;
      const policies = [networkPolicies, calicoPolicies, globalPolicies, clusterPolicies].flat();
      assert.ok(policies.length <= 2, JSON.stringify(policies));
      assert.ok(pods.length <= 2, JSON.stringify(pods));
    });
  }
});

test('a cluster stays as it is when no smaller one can be looked at', async () => {
  const [cluster] = fc.sample(arbitraryCluster, { seed: 1, numRuns: 1 });
  assert.ok(cluster);
  const fails = (smaller: Cluster) => {
    if (smaller !== cluster) throw new Error('Cannot understand it');
    return true;
  };
  assert.equal(await shrink(cluster, { fails }), cluster);
});

function firstShowing(look: (cluster: Cluster) => Differences): Cluster {
  for (const cluster of fc.sample(arbitraryCluster, { seed: 20261125, numRuns: 500 }))
    if (findIn(cluster, look).finding) return cluster;
  return assert.fail('no cluster shows it');
}
