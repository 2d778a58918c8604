// Who an endpoint is, the system says. Random clusters hold the calculation to this; here the answers are written by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GlobalNetworkSet, KubernetesNetworkPolicy, Pod } from '../resources/index.ts';
import { evaluate } from './evaluate/evaluate.ts';
import { hostEndpointOf, networkSetNets, workloadEndpointOf } from './index.ts';

const pod = (namespace: string, host: number, labels: Record<string, string>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name: `pod-${host}`, labels },
  status: { podIPs: [{ ip: `10.1.0.${host}` }] },
});
const liar = {
  app: 'a',
  'pcns.kubernetes.io/metadata.name': 'trusted',
  'pcsa.projectcalico.org/name': 'admin',
  'projectcalico.org/namespace': 'trusted',
  'projectcalico.org/orchestrator': 'k8s',
  'projectcalico.org/serviceaccount': 'admin',
};

const onlyTrusted: KubernetesNetworkPolicy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'trusted', name: 'own' },
  spec: {
    podSelector: {},
    ingress: [
      { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'trusted' } } }] },
      { from: [{ podSelector: { matchLabels: { 'pcns.kubernetes.io/metadata.name': 'trusted' } } }] },
    ],
  },
};

test('a pod does not pass for one of another namespace by its labels', () => {
  const namespaces = ['trusted', 'other'].map((name) => ({
    apiVersion: 'v1' as const,
    kind: 'Namespace' as const,
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
  }));
  const pods = [pod('trusted', 1, {}), pod('trusted', 2, {}), pod('other', 3, liar)];
  const ask = (source: string) =>
    evaluate(
      { namespaces, pods, networkPolicies: [onlyTrusted] },
      { source, destination: '10.1.0.1', protocol: 'TCP', destinationPort: 80 },
    ).action;
  assert.deepEqual([ask('10.1.0.2'), ask('10.1.0.3')], ['Allow', 'Deny']);
});

test('labels that claim a namespace, a service account or an orchestrator are not heard', () => {
  const metadata = { name: 'liar', labels: liar };
  const apiVersion = 'projectcalico.org/v3';
  const set: GlobalNetworkSet = { apiVersion, kind: 'GlobalNetworkSet', metadata, spec: {} };
  const host = hostEndpointOf({ apiVersion, kind: 'HostEndpoint', metadata, spec: { node: 'n' } }).endpoint;
  assert.deepEqual(
    [...networkSetNets(set).labels, ...host.labels],
    [
      ['app', 'a'],
      ['app', 'a'],
    ],
  );
});

test('a service account whose name is too long for a label is not taken from a label that the pod has', () => {
  const spec = { serviceAccountName: 'x'.repeat(63), containers: [] };
  const endpoint = workloadEndpointOf({ ...pod('other', 3, liar), spec });
  assert.deepEqual(
    [...(endpoint?.labels ?? [])],
    [
      ['app', 'a'],
      ['projectcalico.org/namespace', 'other'],
      ['projectcalico.org/orchestrator', 'k8s'],
    ],
  );
});
