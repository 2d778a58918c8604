import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDatastore } from '../datastore/index.ts';
import { nodes } from '../resources/index.ts';
import { forgetNode, reportNetwork, reportNoNetwork } from './network-condition.ts';

const key = { name: 'node-1' };

async function readyNode(annotations: Record<string, string> = {}): Promise<MemoryDatastore> {
  const datastore = new MemoryDatastore();
  await datastore.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { ...key, annotations } });
  const conditions = [{ type: 'Ready', status: 'True' }];
  await datastore.mergePatch(nodes, key, { status: { conditions } }, { subresource: 'status' });
  return datastore;
}

async function conditionsIn(datastore: MemoryDatastore): Promise<string[]> {
  const { status } = await datastore.get(nodes, key);
  return (status?.conditions ?? []).map(({ type, status: value, reason }) => `${type} ${value} ${reason}`);
}

test('a node says whether it has a network, beside what others say of it', async () => {
  const datastore = await readyNode();
  await reportNetwork(datastore, key.name);
  assert.deepEqual(await conditionsIn(datastore), [
    'Ready True undefined',
    'NetworkUnavailable False CalicoIsUp',
  ]);
  await reportNoNetwork(datastore, key.name);
  assert.deepEqual(await conditionsIn(datastore), [
    'Ready True undefined',
    'NetworkUnavailable True CalicoIsDown',
  ]);
});

test('that there is no network is said where somebody may believe that there is one', async () => {
  const datastore = await readyNode();
  const { metadata } = await datastore.get(nodes, key);
  await reportNoNetwork(datastore, key.name);
  assert.equal((await datastore.get(nodes, key)).metadata.resourceVersion, metadata.resourceVersion);
});

test('what a node told of itself is taken back for good, and nothing of others', async () => {
  const annotations = { 'projectcalico.org/IPv4Address': '192.0.2.1/24', 'example.org/rack': 'a' };
  const datastore = await readyNode(annotations);
  await reportNetwork(datastore, key.name);
  assert.deepEqual(await forgetNode(datastore, key.name), [
    'annotation "projectcalico.org/IPv4Address" of the node',
    'condition "NetworkUnavailable" of the node',
  ]);
  assert.deepEqual((await datastore.get(nodes, key)).metadata.annotations, { 'example.org/rack': 'a' });
  assert.deepEqual(await conditionsIn(datastore), ['Ready True undefined']);
  assert.deepEqual(await forgetNode(datastore, key.name), []);
  assert.deepEqual(await forgetNode(datastore, 'gone'), []);
});
