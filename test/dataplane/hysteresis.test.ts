// The kernel holds what the objects say, and nothing of how they came to be: the same cluster reached on five ways gives the
// same table, as `nft` shows it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { Calculator } from '../../src/calc/index.ts';
import { NftablesDataplane } from '../../src/dataplane/index.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
} from '../../src/kernel/index.ts';
import type { Cluster } from '../../src/policy/index.ts';
import { arbitraryCluster } from '../policy/arbitrary-cluster.ts';
import { arbitraryNetwork, comingOf, stepsBetween } from '../policy/arbitrary-network.ts';
import { type Step, stepsAfter, stepsOf, stepsToward } from '../policy/cluster-steps.ts';

const seed = Number(process.env.CALICO_TEST_SEED ?? 20261125);
const rounds = 12;

/** Applies the steps in the given chunks, each in one transaction, and returns what `nft` then shows. */
async function tableAfter(chunks: readonly (readonly Step[])[]): Promise<string[]> {
  const name = `ct-${process.pid}-hysteresis`;
  createNamespace(name);
  const namespace = openNamespace(namespacePath(name));
  const nftables = Nftables.open({ namespace });
  try {
    const calculator = new Calculator({ node: 'node-1', onFault: () => {} });
    const dataplane = new NftablesDataplane(nftables, {
      logPrefix: 'calico-packet',
      endpointToHostAction: 'Accept',
      forgetJudgements: async () => {},
      onTrouble: (error) => assert.fail(String(error)),
    });
    for (const chunk of chunks) {
      for (const step of chunk) step(calculator);
      dataplane.apply(calculator.state, calculator.takeChanges());
    }
    await dataplane.settled();
    assert.equal(await dataplane.audit(), undefined);
    const nft = ['-j', '-n', 'list', 'table', 'inet', 'calico'];
    const net = `--net=${namespacePath(name)}`;
    return normalised(
      execFileSync('nsenter', [net, 'nft', ...nft], { encoding: 'utf8', maxBuffer: 2 ** 26 }),
    );
  } finally {
    nftables.close();
    closeNamespace(namespace);
    deleteNamespace(name);
  }
}

interface Listed {
  readonly chain?: object;
  readonly set?: { readonly name: string; readonly elem?: unknown[] };
  readonly map?: { readonly name: string; readonly elem?: unknown[] };
  readonly rule?: { readonly chain: string };
}

/** What the numbers of generation and stamp stand in is left out: they count the changes, as they should. */
const counting = /^cali-(judged|(host-)?mark-(begin|done)|stamp(-now)?)$/;

/** One text per object; handles are left out, and the order of chains, sets and elements, but not that of rules. */
function normalised(json: string): string[] {
  const { nftables } = JSON.parse(json, (key, value) => (key === 'handle' ? undefined : value)) as {
    nftables: Listed[];
  };
  const rules = new Map<string, object[]>();
  const texts = nftables.flatMap(({ chain, set, map, rule }) => {
    if (rule && !counting.test(rule.chain)) rules.set(rule.chain, [...(rules.get(rule.chain) ?? []), rule]);
    const keyed = set ?? map;
    if (keyed) {
      const elem = counting.test(keyed.name) ? [] : (keyed.elem ?? []).map((one) => JSON.stringify(one));
      return [JSON.stringify({ ...keyed, elem: elem.toSorted() })];
    }
    return chain ? [JSON.stringify(chain)] : [];
  });
  return [...texts, ...[...rules].map((entry) => JSON.stringify(entry))].toSorted();
}

const none: Cluster = { namespaces: [], pods: [], networkPolicies: [] };

/** Some of its namespaces and nodes are not there, although others speak of them: so one cluster has what another has not. */
const arbitraryPart: fc.Arbitrary<Cluster> = arbitraryCluster.chain((cluster) =>
  fc
    .record({
      namespaces: fc.subarray([...cluster.namespaces]),
      nodes: fc.subarray([...(cluster.nodes ?? [])]),
    })
    .map((part) => ({ ...cluster, ...part })),
);

test(`every way to a cluster gives the same table, ${rounds} clusters of seed ${seed}`, async () => {
  const whole = fc.record({ cluster: arbitraryPart, network: arbitraryNetwork });
  const pairs = fc.sample(fc.tuple(whole, whole, fc.noShrink(fc.infiniteStream(fc.nat()))), {
    seed,
    numRuns: rounds,
  });
  for (const [round, [other, { cluster, network }, numbers]] of pairs.entries()) {
    const steps = [...stepsOf(cluster), ...comingOf(network)];
    const key = new Map(steps.map((step) => [step, numbers.next().value ?? 0]));
    const shuffled = steps.toSorted((a, b) => (key.get(a) ?? 0) - (key.get(b) ?? 0));
    const byAnother = [
      ...stepsAfter(other.cluster, cluster),
      ...comingOf(other.network),
      ...stepsBetween(other.network, network),
    ];
    const ways: Record<string, readonly (readonly Step[])[]> = {
      reversed: [steps.toReversed()],
      shuffled: [shuffled],
      split: shuffled.map((step) => [step]),
      'by another cluster': byAnother.map((step) => [step]),
      'with deletes and re-creates': [
        steps,
        [...stepsToward(cluster, none), ...stepsBetween(network, [])],
        shuffled,
      ],
    };
    const squashed = await tableAfter([steps]);
    assert.ok(squashed.length > 20);
    for (const [way, chunks] of Object.entries(ways))
      assert.deepEqual(await tableAfter(chunks), squashed, `cluster ${round}, ${way}`);
  }
});
