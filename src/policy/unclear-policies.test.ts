// Policies that do not say whom they mean or what they want, as no API server would take them: the compiler closes what they may
// have meant, and the evaluator says the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ClusterNetworkPolicy,
  GlobalNetworkPolicy,
  KubernetesNetworkPolicy,
  Pod,
} from '../resources/index.ts';
import {
  type Cluster,
  evaluate,
  fromClusterNetworkPolicy,
  fromGlobalNetworkPolicy,
  fromKubernetesNetworkPolicy,
} from './index.ts';

const withoutValues = { matchExpressions: [{ key: 'a', operator: 'In' as const }] };

const cluster = (spec: object): ClusterNetworkPolicy =>
  ({
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'p' },
    spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} }, ...spec },
  }) as ClusterNetworkPolicy;
const kubernetes = (spec: object): KubernetesNetworkPolicy =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'n', name: 'p' },
    spec,
  }) as KubernetesNetworkPolicy;
const pod = (name: string, ip: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'n', name },
  spec: { nodeName: 'node-1', containers: [] },
  status: { phase: 'Running', podIPs: [{ ip }] },
});
const between = (policies: Partial<Cluster>): string =>
  evaluate(
    {
      namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }],
      pods: [pod('a', '10.0.0.1'), pod('b', '10.0.0.2')],
      networkPolicies: [],
      ...policies,
    },
    { source: '10.0.0.1', destination: '10.0.0.2', protocol: 'TCP', destinationPort: 80 },
  ).action;

for (const subject of [{}, { pods: { podSelector: withoutValues } }, { namespaces: withoutValues }]) {
  const from = [{ namespaces: {} }];
  test(`a ClusterNetworkPolicy denies all for whom it may be, and accepts nobody, with the subject ${JSON.stringify(subject)}`, () => {
    for (const action of ['Deny', 'Pass', 'Accept'] as const) {
      const object = cluster({ subject, ingress: [{ name: 'x', action, from }] });
      const { policy, faults } = fromClusterNetworkPolicy(object);
      assert.deepEqual(
        policy.ingress?.map((rule) => rule.action),
        action === 'Accept' ? [] : ['Deny'],
      );
      assert.match(
        faults.join(),
        /^spec\.subject: (names neither namespaces nor pods|a label selector says)/,
      );
      const withDenial = { clusterPolicies: [object], networkPolicies: [kubernetes({ podSelector: {} })] };
      assert.equal(between({ clusterPolicies: [object] }), action === 'Accept' ? 'Allow' : 'Deny');
      assert.equal(between(withDenial), 'Deny');
    }
  });
}

test('a ClusterNetworkPolicy of a tier that is none counts as one of administrators, and says so', () => {
  const from = [{ namespaces: {} }];
  const object = cluster({ tier: 'Bogus', ingress: [{ name: 'x', action: 'Deny', from }] });
  const { policy, faults } = fromClusterNetworkPolicy(object);
  assert.equal(policy.tier, 'kube-admin');
  assert.match(faults.join(), /^spec\.tier: "Bogus" is neither "Admin" nor "Baseline"/);
  const allowing = kubernetes({ podSelector: {}, ingress: [{}] });
  assert.equal(between({ clusterPolicies: [object], networkPolicies: [allowing] }), 'Deny');
});

test('a rule of a ClusterNetworkPolicy whose action is none denies everybody', () => {
  for (const action of ['Bogus', '__proto__', 'constructor']) {
    const { policy, faults } = fromClusterNetworkPolicy(
      cluster({ ingress: [{ name: 'x', action, from: [{ namespaces: {} }] }] }),
    );
    assert.deepEqual(policy.ingress, [{ action: 'Deny', match: {}, origin: 'spec.ingress[0]' }]);
    assert.deepEqual(faults, [`spec.ingress[0]: "${action}" is not an action`]);
  }
});

test('a rule of a ClusterNetworkPolicy that does not say whom it names denies everybody, unless it would have accepted', () => {
  for (const action of ['Deny', 'Pass', 'Accept'] as const) {
    const object = cluster({ ingress: [{ name: 'x', action, from: [{ namespaces: withoutValues }] }] });
    const { policy, faults } = fromClusterNetworkPolicy(object);
    assert.deepEqual(
      policy.ingress?.map((rule) => rule.action),
      action === 'Accept' ? [] : ['Deny'],
    );
    assert.deepEqual(faults, ['spec.ingress[0]: a label selector says "a" In, and no values']);
    assert.equal(between({ clusterPolicies: [object] }), action === 'Accept' ? 'Allow' : 'Deny');
  }
});

test('a NetworkPolicy whose selector lacks its values is for its namespace, and a rule whose peer does allows nobody', () => {
  const notIn = { matchExpressions: [{ key: 'a', operator: 'NotIn' as const, values: [] }] };
  for (const [spec, place] of [
    [{ podSelector: withoutValues }, 'spec.podSelector'],
    [{ podSelector: {}, ingress: [{ from: [{ podSelector: notIn }] }] }, 'spec.ingress[0]'],
  ] as const) {
    const { policy, faults } = fromKubernetesNetworkPolicy(kubernetes(spec));
    assert.deepEqual(policy.ingress, []);
    assert.deepEqual(
      faults.map((fault) => fault.split(': a label selector')[0]),
      [place],
    );
    assert.equal(between({ networkPolicies: [kubernetes(spec)] }), 'Deny');
  }
});

test('a rule of Calico whose action is none denies everybody', () => {
  for (const action of ['Bogus', '__proto__', 'allow']) {
    const object = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'GlobalNetworkPolicy',
      metadata: { name: 'p' },
      spec: { selector: 'all()', ingress: [{ action, protocol: 'UDP' }, { action: 'Allow' }] },
    } as GlobalNetworkPolicy;
    const { policy, faults } = fromGlobalNetworkPolicy(object);
    assert.deepEqual(
      policy.ingress?.map((rule) => rule.action),
      ['Deny', 'Allow'],
    );
    assert.deepEqual(faults, [`spec.ingress[0]: "${action}" is not an action`]);
    assert.equal(between({ globalPolicies: [object] }), 'Deny');
  }
});
