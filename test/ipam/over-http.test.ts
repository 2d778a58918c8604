// IPAM over the embedded API server: the same rules, with real round trips in between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApiServer } from '../../src/apiserver/index.ts';
import { KubernetesDatastore } from '../../src/datastore/index.ts';
import { IpamClient } from '../../src/ipam/index.ts';
import { formatAddress } from '../../src/net/index.ts';
import {
  crds,
  customResourceDefinitions,
  ipamBlocks,
  ipamHandles,
  ipPools,
} from '../../src/resources/index.ts';
import { accessTo } from '../datastore/access.ts';
import { podRequest, smallPool } from './cluster.ts';

test('clients of several nodes race over HTTP for both families and share no address', async () => {
  await using cleanUp = new AsyncDisposableStack();
  const token = 'secret';
  const server = await startApiServer({ database: ':memory:', token });
  cleanUp.defer(() => server.close());
  const store = new KubernetesDatastore(accessTo(server.url, token));
  cleanUp.defer(() => store.close());
  for (const crd of crds()) await store.create(customResourceDefinitions, crd);
  for (const [name, spec] of Object.entries({ four: smallPool[4], six: smallPool[6] })) {
    await store.create(ipPools, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name },
      spec,
    });
  }
  const clients = [0, 1, 2, 3].map(() => new IpamClient(store));
  const results = await Promise.all(
    Array.from({ length: 64 }, (_, i) =>
      clients[i % 4]?.autoAssign({ ...podRequest(4, `h${i}`, `node-${i % 3}`), count: { 4: 1, 6: 1 } }),
    ),
  );
  const addresses = results.flatMap((result) => result ?? []).map(formatAddress);
  assert.equal(addresses.length, 128);
  assert.equal(new Set(addresses).size, 128);
  for (let i = 0; i < 64; i++) await clients[0]?.releaseByHandle(`h${i}`);
  assert.deepEqual(await store.list(ipamHandles), []);
  for (const { spec } of await store.list(ipamBlocks)) {
    assert.equal(spec.unallocated.length, spec.allocations.length);
  }
});
