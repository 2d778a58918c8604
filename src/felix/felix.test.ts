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
