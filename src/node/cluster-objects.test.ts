import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDatastore } from '../datastore/index.ts';
import { parseCidr } from '../net/index.ts';
import { ipPools, tiers } from '../resources/index.ts';
import { ensureClusterObjects } from './cluster-objects.ts';
import { readOptions } from './options.ts';

const { defaultPools } = readOptions({
  CALICO_IPV4POOL_CIDR: '10.1.0.0/16',
  CALICO_IPV4POOL_VXLAN: 'Always',
});

test('the first node makes what every cluster has, and a later one leaves it alone', async () => {
  const store = new MemoryDatastore();
  await ensureClusterObjects(store, defaultPools, []);
  const made = (await store.list(tiers)).map(({ metadata, spec }) => [
    metadata.name,
    spec.order,
    spec.defaultAction,
  ]);
  assert.deepEqual(made.toSorted(), [
    ['default', 1000000, 'Deny'],
    ['kube-admin', 1000, 'Pass'],
    ['kube-baseline', 10000000, 'Pass'],
  ]);
  const [pool] = await store.list(ipPools);
  assert.deepEqual(
    [pool?.metadata.name, pool?.spec.cidr, pool?.spec.vxlanMode],
    ['default-ipv4-ippool', '10.1.0.0/16', 'Always'],
  );
  await store.mergePatch(ipPools, { name: 'default-ipv4-ippool' }, { spec: { vxlanMode: 'Never' } });
  const before = JSON.stringify([await store.list(tiers), await store.list(ipPools)]);
  await ensureClusterObjects(store, defaultPools, []);
  assert.equal(JSON.stringify([await store.list(tiers), await store.list(ipPools)]), before);
});

test('a default pool is made only where there is no pool of its family', async () => {
  const store = new MemoryDatastore();
  await store.create(ipPools, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'mine' },
    spec: { cidr: '10.2.0.0/16' },
  });
  await ensureClusterObjects(store, defaultPools, []);
  assert.deepEqual(
    (await store.list(ipPools)).map(({ metadata }) => metadata.name),
    ['mine'],
  );
});

test('without a range that somebody names, the default pool is of none that the node is in', async () => {
  for (const [networks, expected] of [
    [['10.0.0.5/24'], '192.168.0.0/16'],
    [['192.168.1.7/24', '172.16.3.1/32'], '172.17.0.0/16'],
  ] as const) {
    const store = new MemoryDatastore();
    await ensureClusterObjects(
      store,
      readOptions({}).defaultPools,
      networks.map((text) => parseCidr(text)),
    );
    assert.deepEqual(
      (await store.list(ipPools)).map(({ spec }) => spec.cidr),
      [expected],
    );
  }
  const all = [parseCidr('192.168.0.0/16'), parseCidr('172.16.0.0/12')];
  await assert.rejects(
    ensureClusterObjects(new MemoryDatastore(), readOptions({}).defaultPools, all),
    /Name one with CALICO_IPV4POOL_CIDR/,
  );
});
