import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GlobalNetworkPolicy, KubernetesNetworkPolicy } from '../resources/index.ts';
import { fromGlobalNetworkPolicy, fromKubernetesNetworkPolicy } from './index.ts';

const calico = (types: string[]) =>
  fromGlobalNetworkPolicy({
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'p' },
    spec: { selector: 'all()', types, ingress: [{ action: 'Allow' }] },
  } as GlobalNetworkPolicy);
const kubernetes = (policyTypes: string[]) =>
  fromKubernetesNetworkPolicy({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'a', name: 'p' },
    spec: { podSelector: {}, policyTypes, ingress: [{}] },
  } as KubernetesNetworkPolicy);

for (const [kind, where, convert] of [
  ['Calico', 'spec.types', calico],
  ['Kubernetes', 'spec.policyTypes', kubernetes],
] as const) {
  test(`a policy of ${kind} whose types hold a word that is none closes both directions but for its own rules, and says so`, () => {
    for (const types of [['Bogus'], ['Ingress', 'Bogus'], ['egress', '']]) {
      const { policy, faults } = convert(types);
      assert.equal(policy.ingress?.length, 1);
      assert.deepEqual(policy.egress, []);
      const word = types.find((type) => type !== 'Ingress');
      assert.deepEqual(faults, [
        `${where}: "${word}" is neither "Ingress" nor "Egress"; the policy is about both`,
      ]);
    }
    assert.equal(convert(['Ingress']).policy.egress, undefined);
  });
}
