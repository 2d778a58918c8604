import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admittedPolicy, completedPolicy } from './completed-policy.ts';

const apiVersion = 'projectcalico.org/v3';
const tiered = ['NetworkPolicy', 'GlobalNetworkPolicy', 'StagedNetworkPolicy', 'StagedGlobalNetworkPolicy'];
const policy = (spec: unknown, labels?: object, kind = 'NetworkPolicy') =>
  ({ apiVersion, kind, metadata: { name: 'p', ...(labels && { labels }) }, spec }) as never as {
    apiVersion: string;
    kind: string;
    metadata: { name: string; labels: Record<string, string> };
    spec: { types?: readonly string[] };
  };
const rules = [{ action: 'Allow' }];

for (const kind of tiered) {
  test(`a ${kind} carries the name of its tier as a label, whatever label it came with`, () => {
    const labelsOf = (spec: object, labels?: object) =>
      completedPolicy(policy(spec, labels, kind)).metadata.labels;
    assert.deepEqual(labelsOf({}), { 'projectcalico.org/tier': 'default' });
    assert.deepEqual(labelsOf({ tier: '' }), { 'projectcalico.org/tier': 'default' });
    assert.deepEqual(labelsOf({ tier: 'net' }, { a: 'b', 'projectcalico.org/tier': 'default' }), {
      a: 'b',
      'projectcalico.org/tier': 'net',
    });
  });
}

test('types that nobody wrote follow from the rules', () => {
  const typesOf = (spec: object) => completedPolicy(policy(spec)).spec.types;
  assert.deepEqual(typesOf({}), ['Ingress']);
  assert.deepEqual(typesOf({ ingress: rules }), ['Ingress']);
  assert.deepEqual(typesOf({ egress: rules }), ['Egress']);
  assert.deepEqual(typesOf({ ingress: [], egress: rules }), ['Egress']);
  assert.deepEqual(typesOf({ ingress: rules, egress: rules }), ['Ingress', 'Egress']);
  assert.deepEqual(typesOf({ types: ['Egress'], ingress: rules }), ['Egress']);
});

test('at admission a list speaks for its direction even when it is empty', () => {
  const typesOf = (spec: object) => admittedPolicy(policy(spec)).spec.types;
  assert.deepEqual(typesOf({}), ['Ingress']);
  assert.deepEqual(typesOf({ egress: [] }), ['Egress']);
  assert.deepEqual(typesOf({ ingress: [], egress: rules }), ['Ingress', 'Egress']);
  assert.deepEqual(typesOf({ types: ['Egress'], ingress: [] }), ['Egress']);
});

test('a draft that deletes a policy says nothing but its tier', () => {
  const { spec, metadata } = completedPolicy(
    policy({ stagedAction: 'Delete', tier: 'net' }, undefined, 'StagedNetworkPolicy'),
  );
  assert.deepEqual([spec.types, metadata.labels], [undefined, { 'projectcalico.org/tier': 'net' }]);
});

test('the name of a tier that no label can have becomes none', () => {
  for (const tier of ['has(a)', '-', 'a'.repeat(64)])
    assert.deepEqual(completedPolicy(policy({ tier }, { a: 'b' })).metadata.labels, { a: 'b' });
});

test('what is no policy of a tier, or has no shape of one, comes out as it came in', () => {
  const others = [
    policy({}, undefined, 'Tier'),
    policy({}, undefined, 'StagedKubernetesNetworkPolicy'),
    { ...policy({}), apiVersion: 'networking.k8s.io/v1' },
    policy(undefined),
    policy('nothing'),
    policy({}, ['a'] as never),
  ];
  for (const object of others) assert.equal(completedPolicy(object), object);
  assert.equal(completedPolicy(policy({ egress: 'all' })).spec.types, undefined);
});
