// The whole calculation against the evaluator, which reads the objects as the Kubernetes documentation does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Calculator, type DesiredState } from '../../src/calc/index.ts';
import { type Cluster, evaluate } from '../../src/policy/index.ts';
import type { GlobalNetworkPolicy, Pod } from '../../src/resources/index.ts';
import { arbitraryCluster, nodeNames } from './arbitrary-cluster.ts';
import { arbitraryNetwork, comingOf, networkNodes, stepsBetween } from './arbitrary-network.ts';
import { type Step, stepsAfter, stepsOf } from './cluster-steps.ts';
import { differencesIn } from './differences.ts';

/** What it does not understand is not looked at here: the comparison with the evaluator does that. */
function calculate(node: string, steps: readonly Step[], takeEvery = Number.POSITIVE_INFINITY): DesiredState {
  const calculator = new Calculator({ node, onFault: () => {} });
  for (const [index, step] of steps.entries()) {
    step(calculator);
    if (index % takeEvery === 0) calculator.takeChanges();
  }
  calculator.takeChanges();
  return calculator.state;
}

function plain(state: DesiredState) {
  const sorted = <V>(map: ReadonlyMap<string, V>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    endpoints: sorted(state.endpoints),
    hostEndpoints: sorted(state.hostEndpoints),
    policies: sorted(state.policies),
    sets: sorted(state.sets).map(([id, { kind, members, nets }]) => [
      id,
      kind,
      [...members.keys()].sort(),
      [...nets.keys()].sort(),
    ]),
    tunnelEndpoints: sorted(state.tunnelEndpoints),
    routes: sorted(state.routes),
    network: Object.entries(state.network).map(([fact, values]) => [fact, [...values].sort()]),
  };
}

const runs = 300;
/** One with pods and policies, one with routes to others. */
const nodesWithNetwork = ['node-1', networkNodes[0] ?? ''];
/** Many clusters with some of their packets each find more than few with all. */
const clusters = 2000;
const every = 17;

test('what the kernel is told to do with every packet is what the evaluator says', () => {
  const asked = { packets: 0, denied: 0 };
  fc.assert(
    fc.property(arbitraryCluster, fc.nat(every - 1), (cluster, from) => {
      const { packets, denied, difference } = differencesIn(cluster, nodeNames, { every, from });
      asked.packets += packets;
      asked.denied += denied;
      assert.equal(difference, undefined);
    }),
    { numRuns: clusters },
  );
  // Random clusters in which nothing, or everything, is denied would prove little.
  assert.ok(
    asked.denied > asked.packets / 20 && asked.denied < (asked.packets * 19) / 20,
    JSON.stringify(asked),
  );
});

test('the result does not depend on what was there before, nor on how often changes were taken', () => {
  fc.assert(
    fc.property(
      fc.tuple(arbitraryCluster, arbitraryNetwork),
      fc.tuple(arbitraryCluster, arbitraryNetwork),
      fc.integer({ min: 1, max: 5 }),
      ([other, otherNetwork], [cluster, network], takeEvery) => {
        const history = [
          ...comingOf(otherNetwork),
          ...stepsAfter(other, cluster),
          ...stepsBetween(otherNetwork, network),
        ];
        for (const node of nodesWithNetwork) {
          const fresh = calculate(node, [...comingOf(network), ...stepsOf(cluster)]);
          assert.deepEqual(plain(calculate(node, history, takeEvery)), plain(fresh));
        }
      },
    ),
    { numRuns: runs },
  );
});

test('the result does not depend on the order in which objects come', () => {
  fc.assert(
    fc.property(
      fc.tuple(arbitraryCluster, arbitraryNetwork).chain(([cluster, network]) => {
        const steps = [...comingOf(network), ...stepsOf(cluster)];
        return fc.tuple(fc.constant(steps), fc.shuffledSubarray(steps, { minLength: steps.length }));
      }),
      ([steps, shuffled]) => {
        for (const node of nodesWithNetwork)
          assert.deepEqual(plain(calculate(node, shuffled, 2)), plain(calculate(node, steps)));
      },
    ),
    { numRuns: runs },
  );
});

test('replaying the changes of every set gives the members that it has', () => {
  fc.assert(
    fc.property(arbitraryCluster, arbitraryCluster, (other, cluster) => {
      const calculator = new Calculator({ node: 'node-1' });
      const replayed = new Map<string, Set<string>>();
      for (const step of stepsAfter(other, cluster)) {
        step(calculator);
        for (const [id, { added, removed }] of calculator.takeChanges().sets) {
          const members = replayed.get(id) ?? new Set<string>();
          for (const member of removed)
            assert.ok(members.delete(member), `${member} was removed but never added`);
          for (const member of added)
            assert.ok(!members.has(member) && members.add(member), `${member} was added twice`);
          if (calculator.state.sets.has(id)) replayed.set(id, members);
          else replayed.delete(id);
        }
      }
      const actual = [...calculator.state.sets].map(
        ([id, { members }]) => [id, new Set(members.keys())] as const,
      );
      assert.deepEqual(replayed, new Map(actual));
    }),
    { numRuns: runs },
  );
});

test('a tier that nobody has defined comes behind those without an order, whatever its name', () => {
  const policy = (tier: string, action: 'Allow' | 'Deny'): GlobalNetworkPolicy => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: tier },
    spec: { tier, types: ['Ingress'], ingress: [{ action, protocol: 'TCP' }] },
  });
  const cluster: Cluster = {
    namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'red' } }],
    pods: [0, 1].map(
      (n): Pod => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: 'red', name: `pod-${n}`, uid: `${n}` },
        spec: { nodeName: nodeNames[0] ?? '', containers: [] },
        status: { phase: 'Running', podIPs: [{ ip: `10.1.0.${n + 1}` }] },
      }),
    ),
    networkPolicies: [],
    tiers: [{ apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name: 'z' }, spec: {} }],
    globalPolicies: [policy('a-missing', 'Deny'), policy('z', 'Allow')],
  };
  const ends = { source: '10.1.0.1', destination: '10.1.0.2' };
  const packet = { ...ends, protocol: 'TCP', sourcePort: 79, destinationPort: 80 } as const;
  assert.equal(evaluate(cluster, packet).action, 'Allow');
  assert.equal(differencesIn(cluster, nodeNames).difference, undefined);
});
