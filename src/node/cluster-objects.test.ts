import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDatastore, SoundDatastore } from '../datastore/index.ts';
import { parseCidr } from '../net/index.ts';
import { createLogger } from '../process/index.ts';
import {
  clusterInformations,
  configMaps,
  ipPools,
  type ObjectKey,
  type Resource,
  type ResourceKind,
  tiers,
} from '../resources/index.ts';
import { ensureClusterObjects } from './cluster-objects.ts';
import { readOptions } from './options.ts';

const log = createLogger('test', 'silent');
const options = readOptions({
  CALICO_IPV4POOL_CIDR: '10.1.0.0/16',
  CALICO_IPV4POOL_VXLAN: 'Always',
});

test('the first node makes what every cluster has, and a later one leaves it alone', async () => {
  const store = new MemoryDatastore();
  await ensureClusterObjects(store, options, [], log);
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
  await ensureClusterObjects(store, options, [], log);
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
  await ensureClusterObjects(store, options, [], log);
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
      readOptions({}),
      networks.map((text) => parseCidr(text)),
      log,
    );
    assert.deepEqual(
      (await store.list(ipPools)).map(({ spec }) => spec.cidr),
      [expected],
    );
  }
  const all = [parseCidr('192.168.0.0/16'), parseCidr('172.16.0.0/12')];
  await assert.rejects(
    ensureClusterObjects(new MemoryDatastore(), readOptions({}), all, log),
    /Name one with CALICO_IPV4POOL_CIDR/,
  );
});

const withIpv6 = { IP6: 'autodetect', CLUSTER_TYPE: 'k8s,bgp' };

/** The ranges of the pools that a first node makes where kubeadm wrote this, and the cluster's type. */
async function madeBeside(clusterConfiguration: string, environment: Record<string, string> = {}) {
  const store = new MemoryDatastore();
  await store.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'kube-system', name: 'kubeadm-config' },
    data: { ClusterConfiguration: clusterConfiguration },
  });
  await ensureClusterObjects(store, readOptions(environment), [parseCidr('192.168.1.7/24')], log);
  const pools = (await store.list(ipPools)).map(({ spec }) => spec.cidr);
  const { spec } = await store.get(clusterInformations, { name: 'default' });
  return [pools.toSorted(), spec.clusterType];
}

test("kubeadm's range of pods is the default pool's, of each family that the node has", async () => {
  const both = 'networking: { podSubnet: "10.244.0.0/16,fd00:10:244::/48" }';
  assert.deepEqual(await madeBeside(both), [['10.244.0.0/16'], 'k8s,kubeadm,kdd']);
  assert.deepEqual(await madeBeside(both, withIpv6), [
    ['10.244.0.0/16', 'fd00:10:244::/48'],
    'k8s,bgp,kubeadm,kdd',
  ]);
});

test('a range that somebody names goes before kubeadm, which is not asked then', async () => {
  const named = { CALICO_IPV4POOL_CIDR: '10.1.0.0/16' };
  assert.deepEqual(await madeBeside('networking: { podSubnet: 10.244.0.0/16 }', named), [
    ['10.1.0.0/16'],
    'k8s,kdd',
  ]);
});

test('a ConfigMap of kubeadm that cannot be read is no reason to have no pool', async () => {
  const store = new MemoryDatastore();
  const metadata = { namespace: 'kube-system', name: 'kubeadm-config' };
  const broken = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ClusterConfiguration: 5 } };
  const get = store.get.bind(store);
  store.get = async <T extends Resource>(kind: ResourceKind<T>, key: ObjectKey) =>
    kind.plural === 'configmaps' ? (broken as unknown as T) : get(kind, key);
  await ensureClusterObjects(new SoundDatastore(store, () => {}), readOptions({}), [], log);
  assert.equal((await store.list(ipPools)).length, 1);
});

for (const [what, text] of [
  ['no range', 'networking: { dnsDomain: cluster.local }'],
  ['nothing', ''],
  ['no YAML', '{'],
  ['no CIDR', 'networking: { podSubnet: everything }'],
  ['a list', 'networking: { podSubnet: [10.244.0.0/16] }'],
] as const) {
  test(`where kubeadm says ${what}, the range is chosen`, async () => {
    assert.deepEqual((await madeBeside(text, withIpv6))[0], ['172.16.0.0/16']);
  });
}
