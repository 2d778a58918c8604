// The whole calculation against the evaluator, which reads the objects as the Kubernetes documentation does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Calculator, type DesiredState, interpret } from '../../src/calc/index.ts';
import { protocolNumber } from '../../src/net/index.ts';
import { type Cluster, evaluate } from '../../src/policy/index.ts';
import { keyOf } from '../../src/resources/index.ts';
import { arbitraryCluster, nodeNames } from './arbitrary-cluster.ts';

type Step = (calculator: Calculator) => void;

function stepsOf({ namespaces, pods, networkPolicies }: Cluster): Step[] {
  return [
    ...namespaces.map(
      (object): Step =>
        (calculator) =>
          calculator.setNamespace(object),
    ),
    ...pods.map(
      (object): Step =>
        (calculator) =>
          calculator.setPod(object),
    ),
    ...networkPolicies.map(
      (object): Step =>
        (calculator) =>
          calculator.setKubernetesNetworkPolicy(object),
    ),
  ];
}

/** Another cluster's objects come first and go again, in between and without order. */
function stepsAfter(other: Cluster, cluster: Cluster): Step[] {
  const gone = <T extends { metadata: { name: string; namespace?: string } }>(
    old: readonly T[],
    now: readonly T[],
  ) => old.filter((object) => !now.some((kept) => keyOf(kept) === keyOf(object))).map(keyOf);
  return [
    ...stepsOf(other),
    ...stepsOf(cluster),
    ...gone(other.pods, cluster.pods).map(
      (key): Step =>
        (calculator) =>
          calculator.deletePod(key),
    ),
    ...gone(other.networkPolicies, cluster.networkPolicies).map(
      (key): Step =>
        (calculator) =>
          calculator.deletePolicy('KubernetesNetworkPolicy', key),
    ),
  ];
}

function calculate(node: string, steps: readonly Step[], takeEvery = Number.POSITIVE_INFINITY): DesiredState {
  const calculator = new Calculator({ node });
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
    policies: sorted(state.policies),
    sets: sorted(state.sets).map(([id, { kind, members }]) => [id, kind, [...members.keys()].sort()]),
  };
}

const runs = 300;

test('what the kernel is told to do with every packet is what the evaluator says', () => {
  fc.assert(
    fc.property(arbitraryCluster, (cluster) => {
      const states = nodeNames.map((node) => calculate(node, stepsOf(cluster)));
      for (const [from, sender] of cluster.pods.entries()) {
        for (const [to, receiver] of cluster.pods.entries()) {
          if (sender === receiver || [sender, receiver].some((pod) => pod.status?.phase !== 'Running'))
            continue;
          for (const [source, destination] of [
            [`10.1.0.${from + 1}`, `10.1.0.${to + 1}`],
            [`fd00:1::${from + 1}`, `fd00:1::${to + 1}`],
          ] as const) {
            for (const protocol of ['TCP', 'UDP', 'SCTP'] as const) {
              for (const destinationPort of [79, 80, 81, 82, 83]) {
                const expected = evaluate(cluster, { source, destination, protocol, destinationPort });
                const number = protocolNumber(protocol) ?? 0;
                const connection = { source, destination, protocol: number, destinationPort };
                const verdicts = states.map((state) => interpret(state, connection));
                const actual = verdicts.includes('Deny') ? 'Deny' : 'Allow';
                assert.equal(
                  actual,
                  expected.action,
                  `${JSON.stringify(connection)}: ${expected.reasons.join('; ')}`,
                );
              }
            }
          }
        }
      }
    }),
    { numRuns: runs },
  );
});

test('the result does not depend on what was there before, nor on how often changes were taken', () => {
  fc.assert(
    fc.property(
      arbitraryCluster,
      arbitraryCluster,
      fc.integer({ min: 1, max: 5 }),
      (other, cluster, takeEvery) => {
        const fresh = calculate('node-1', stepsOf(cluster));
        const after = calculate('node-1', stepsAfter(other, cluster), takeEvery);
        assert.deepEqual(plain(after), plain(fresh));
      },
    ),
    { numRuns: runs },
  );
});

test('the result does not depend on the order in which objects come', () => {
  fc.assert(
    fc.property(
      arbitraryCluster.chain((cluster) => {
        const steps = stepsOf(cluster);
        return fc.tuple(fc.constant(steps), fc.shuffledSubarray(steps, { minLength: steps.length }));
      }),
      ([steps, shuffled]) => {
        assert.deepEqual(plain(calculate('node-1', shuffled, 2)), plain(calculate('node-1', steps)));
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
