import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryDatastore } from '../datastore/index.ts';
import { createLogger } from '../process/index.ts';
import { nodes } from '../resources/index.ts';
import { Felix } from './felix.ts';

test('nothing is brought into the kernel before everything has been listed, whatever is told earlier', async () => {
  const datastore = new MemoryDatastore();
  await datastore.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } });
  let applied = 0;
  const dataplane = { apply: () => applied++, distrust() {} };
  const felix = new Felix({ node: 'n', datastore, dataplane, log: createLogger('test', 'silent') });
  felix.setInterface('eth0', ['10.0.0.1']);
  felix.reapply();
  await nextTurn();
  await nextTurn();
  assert.deepEqual([applied, felix.isInSync], [0, false]);
  felix.start();
  await felix.inSync;
  assert.equal(applied, 1);
  felix.stop();
  await datastore.close();
});

test('a change waits until no packet is under way that the last one has overtaken, and all that came meanwhile are one', async () => {
  const datastore = new MemoryDatastore();
  let left = Promise.withResolvers<void>();
  let applied = 0;
  const dataplane = {
    apply: () => applied++,
    distrust() {},
    overtaking: undefined as Promise<void> | undefined,
  };
  const felix = new Felix({ node: 'n', datastore, dataplane, log: createLogger('test', 'silent') });
  felix.start();
  await felix.inSync;
  assert.equal(applied, 1);
  dataplane.overtaking = left.promise;
  for (const address of ['10.0.0.1', '10.0.0.2']) {
    felix.setInterface('eth0', [address]);
    await nextTurn();
    await nextTurn();
  }
  assert.equal(applied, 1);
  left.resolve();
  await nextTurn();
  assert.equal(applied, 2);
  // Whoever has been stopped changes nothing any more.
  left = Promise.withResolvers();
  dataplane.overtaking = left.promise;
  felix.setInterface('eth0', ['10.0.0.3']);
  await nextTurn();
  felix.stop();
  left.resolve();
  await nextTurn();
  assert.equal(applied, 2);
  await datastore.close();
});
