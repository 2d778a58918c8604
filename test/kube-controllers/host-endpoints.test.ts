import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { InvalidResourceError, MemoryDatastore, SoundDatastore } from '../../src/datastore/index.ts';
import { HostEndpointController } from '../../src/kube-controllers/index.ts';
import { createLogger } from '../../src/process/index.ts';
import { type HostEndpoint, hostEndpoints, type Node, nodes } from '../../src/resources/index.ts';
import { until } from './until.ts';

const log = createLogger('test', 'silent');
const running: { stop(): Promise<void> }[] = [];
const stopAll = () => Promise.all(running.splice(0).map((controller) => controller.stop()));
afterEach(stopAll);

const begin = (store: MemoryDatastore, autoCreate: 'Enabled' | 'Disabled' = 'Enabled') =>
  running.push(new HostEndpointController({ datastore: store, log, reconcilerPeriodMs: 0 }, { autoCreate }));
const node = (name: string, address: string, labels = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels, annotations: { 'projectcalico.org/IPv4Address': `${address}/24` } },
});
const byHand: HostEndpoint = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'HostEndpoint',
  metadata: { name: 'node-2-auto-hep' },
  spec: { node: 'node-2', interfaceName: 'eth9' },
};

/** "name interface addresses" of each, sorted */
const words = (endpoints: readonly HostEndpoint[]) =>
  endpoints
    .map(({ metadata, spec }) => `${metadata.name} ${spec.interfaceName} ${spec.expectedIPs ?? ''}`)
    .toSorted()
    .join('; ');
const said = (store: MemoryDatastore, wanted: string) =>
  until(store, hostEndpoints, wanted, (endpoints) => words(endpoints) === wanted);

test('nodes have host endpoints by themselves, which follow them and go with them; what people made stays', async () => {
  const store = new MemoryDatastore();
  await store.create(hostEndpoints, byHand);
  for (const n of [1, 2]) await store.create(nodes, node(`node-${n}`, `172.30.0.1${n}`));
  begin(store);
  await said(store, 'node-1-auto-hep * 172.30.0.11; node-2-auto-hep eth9 ');

  const one = await store.get(nodes, { name: 'node-1' });
  await store.update(nodes, {
    ...node('node-1', '172.30.0.99', { zone: 'a' }),
    metadata: { ...one.metadata, ...node('node-1', '172.30.0.99', { zone: 'a' }).metadata },
  });
  const moved = await said(store, 'node-1-auto-hep * 172.30.0.99; node-2-auto-hep eth9 ');
  assert.equal(moved.find(({ metadata }) => metadata.name === 'node-1-auto-hep')?.metadata.labels?.zone, 'a');

  await store.delete(hostEndpoints, { name: 'node-1-auto-hep' });
  await said(store, 'node-1-auto-hep * 172.30.0.99; node-2-auto-hep eth9 ');
  await store.delete(nodes, { name: 'node-1' });
  await store.delete(nodes, { name: 'node-2' });
  await said(store, 'node-2-auto-hep eth9 ');
});

test('a node that cannot be read keeps its host endpoint, which goes with it', async () => {
  const store = new MemoryDatastore();
  for (const n of [1, 2]) await store.create(nodes, node(`node-${n}`, `172.30.0.1${n}`));
  const datastore = new SoundDatastore(store, () => {});
  running.push(
    new HostEndpointController({ datastore, log, reconcilerPeriodMs: 0 }, { autoCreate: 'Enabled' }),
  );
  const both = 'node-1-auto-hep * 172.30.0.11; node-2-auto-hep * 172.30.0.12';
  await said(store, both);
  const labels = { zone: 5 as unknown as string };
  await store.mergePatch(nodes, { name: 'node-1' }, { metadata: { labels } });
  // What follows comes after whatever became of that.
  await store.create(nodes, node('node-3', '172.30.0.13'));
  await said(store, `${both}; node-3-auto-hep * 172.30.0.13`);
  await store.delete(nodes, { name: 'node-1' });
  await said(store, 'node-2-auto-hep * 172.30.0.12; node-3-auto-hep * 172.30.0.13');
});

test('host endpoints that are not wanted any more go', async () => {
  const store = new MemoryDatastore();
  await store.create(nodes, node('node-1', '172.30.0.11'));
  begin(store);
  await said(store, 'node-1-auto-hep * 172.30.0.11');
  await stopAll();
  begin(store, 'Disabled');
  await said(store, '');
});

test('a template that gives the name of another host endpoint does not take its place', async () => {
  const store = new MemoryDatastore();
  await store.create(nodes, node('node-1', '172.30.0.11'));
  const templates = [{}, { generateName: 'x' }, { generateName: 'x' }];
  const context = { datastore: store, log, reconcilerPeriodMs: 0 };
  running.push(new HostEndpointController(context, { autoCreate: 'Enabled', templates }));
  const made = await until(store, hostEndpoints, 'four host endpoints', (all) => all.length === 4);
  const names = made.map(({ metadata }) => metadata.name.replace(/[0-9a-f]{11}/, '#')).toSorted();
  assert.deepEqual(names, [
    'node-1-#-auto-hep',
    'node-1-auto-hep',
    'node-1-x-#-auto-hep',
    'node-1-x-auto-hep',
  ]);
  const [main] = made.filter(({ metadata }) => metadata.name === 'node-1-auto-hep');
  assert.equal(main?.spec.interfaceName, '*');
});

test('a host endpoint that the API server refuses does not keep others from being made', async () => {
  const store = new MemoryDatastore();
  for (const n of [1, 2, 3]) await store.create(nodes, node(`node-${n}`, `172.30.0.1${n}`));
  const create = store.create.bind(store);
  store.create = (kind, object) =>
    object.metadata.name === 'node-1-auto-hep'
      ? Promise.reject(new InvalidResourceError('no'))
      : create(kind, object);
  begin(store);
  await said(store, 'node-2-auto-hep * 172.30.0.12; node-3-auto-hep * 172.30.0.13');
});
