// The example of docs/host-endpoints.md is valid, and does what the page says of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Cluster, evaluate } from '../../src/policy/index.ts';
import { type GlobalNetworkPolicy, type HostEndpoint, readManifest } from '../../src/resources/index.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/host-endpoints.md'), 'utf8');
const yaml = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? assert.fail('the page has no example');
const objects = readManifest(yaml, 'docs/host-endpoints.md').map(
  (entry) => entry.object ?? assert.fail(JSON.stringify(entry.faults)),
);
const guarded: Cluster = {
  namespaces: [],
  pods: [],
  networkPolicies: [],
  globalPolicies: objects.filter((object) => object.kind === 'GlobalNetworkPolicy') as GlobalNetworkPolicy[],
  hostEndpoints: objects.filter((object) => object.kind === 'HostEndpoint') as HostEndpoint[],
};
const mistaken = {
  ...guarded,
  globalPolicies:
    guarded.globalPolicies?.map((policy) => ({ ...policy, spec: { ...policy.spec, ingress: [] } })) ?? [],
};

const ask = (cluster: Cluster, way: 'in' | 'out', destinationPort: number, source = '192.0.2.9') => {
  const ends =
    way === 'in'
      ? { source, destination: '172.30.0.11' }
      : { source: '172.30.0.11', destination: '192.0.2.9' };
  const crossings = [{ node: 'node-1', [way]: 'eth0' }];
  return evaluate(cluster, { ...ends, protocol: 'TCP', destinationPort, crossings }).action;
};

test('the guide’s example lets in what it lists, keeps out the rest, and leaves egress open', () => {
  assert.deepEqual(
    [
      ask(guarded, 'in', 22),
      ask(guarded, 'in', 10250),
      ask(guarded, 'in', 80),
      ask(guarded, 'in', 80, '172.30.0.12'),
    ],
    ['Allow', 'Allow', 'Deny', 'Allow'],
  );
  assert.equal(ask(guarded, 'out', 443), 'Allow');
});

test('the guide’s example locks nobody out when its policy is wrong', () => {
  assert.deepEqual(
    [
      ask(mistaken, 'in', 22),
      ask(mistaken, 'in', 6443),
      ask(mistaken, 'in', 10250),
      ask(mistaken, 'out', 443),
    ],
    ['Allow', 'Allow', 'Deny', 'Allow'],
  );
});
