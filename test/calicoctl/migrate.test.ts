import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpamClient } from '../../src/ipam/index.ts';
import { formatAddress } from '../../src/net/index.ts';
import {
  blockAffinities,
  clusterInformations,
  globalNetworkPolicies,
  ipamBlocks,
  ipPools,
  namespaces,
  networkPolicies,
  type ResourceKind,
} from '../../src/resources/index.ts';
import { podRequest } from '../ipam/cluster.ts';
import { ApiCluster } from './api-cluster.ts';
import {
  createLegacyObjects,
  declareKind,
  declareLegacyKinds,
  type Legacy,
  legacy,
  legacyKind,
} from './legacy-cluster.ts';

const old = legacyKind('ClusterInformation');
const apiService: ResourceKind<Legacy> = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  namespaced: false,
};

async function legacyCluster(): Promise<ApiCluster> {
  const cluster = await ApiCluster.start();
  await cluster.store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  await declareLegacyKinds(cluster.store);
  await createLegacyObjects(cluster.store);
  return cluster;
}

test("a cluster of Calico's is copied whole: a dry run writes nothing, a second run finds nothing to do", async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  const migrate = (...options: string[]) => cluster.run(['migrate-from-calico', '--settle', '0', ...options]);
  const dry = await migrate('--dry-run');
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^NetworkPolicy +2 +0 +0 +0$/m);
  assert.deepEqual(await store.list(ipPools), []);

  const first = await migrate();
  assert.equal(first.code, 0, first.stderr);
  const policies = await store.list(networkPolicies);
  assert.deepEqual(
    policies.map(({ metadata: { name, labels }, spec: { tier } }) => [name, labels, tier]),
    [
      ['plain', undefined, 'default'],
      ['web', { team: 'shop' }, 'default'],
    ],
  );
  const [tiered] = await store.list(globalNetworkPolicies);
  assert.equal(tiered?.metadata.name, 'security.no-metadata');
  const [affinity] = await store.list(blockAffinities);
  assert.equal(affinity?.spec.deleted, false);
  const [information] = await store.list(clusterInformations);
  assert.deepEqual(
    [information?.spec.clusterGUID, information?.spec.datastoreReady],
    ['0123456789abcdef0123456789abcdef', true],
  );
  assert.equal((await store.get(old, { name: 'default' })).spec.datastoreReady, false);

  // Nobody is given an address that somebody had before.
  const client = new IpamClient(store);
  assert.deepEqual((await client.addressesByHandle('k8s-pod-network.aaaa')).map(formatAddress), [
    '192.168.71.1',
  ]);
  const [next] = await client.autoAssign(podRequest(4, 'next', 'node-1'));
  assert.equal(next && formatAddress(next), '192.168.71.2');

  const before = JSON.stringify(await store.list(ipamBlocks));
  const second = await migrate();
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, /The new group is in charge of addresses already/);
  assert.match(second.stdout, /Wrote 0 objects/);
  assert.equal(JSON.stringify(await store.list(ipamBlocks)), before);
  const late = await migrate('--abort');
  assert.equal(late.code, 1);
  assert.match(late.stderr, /the new one is in charge of them/);
});

test('what cannot be migrated is named with the reason, and then nothing is written', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  const pool = legacyKind('IPPool');
  await store.create(pool, legacy('IPPool', { name: 'broken' }, { cidr: '10.0.0.0/33' }));
  const { code, stdout } = await cluster.run(['migrate-from-calico', '--settle', '0']);
  assert.equal(code, 1);
  assert.match(stdout, /^IPPool "broken" is invalid: spec\.cidr: "10\.0\.0\.0\/33"/m);
  assert.match(stdout, /Nothing was written/);
  assert.deepEqual(await store.list(ipPools), []);
  assert.equal((await store.get(old, { name: 'default' })).spec.datastoreReady, true);
});

test('where Calico’s own API server stands in front of the new group, nothing is read or written', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  const serves = { namespace: 'calico-apiserver', name: 'calico-api' };
  await declareKind(store, apiService);
  await store.create(apiService, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v3.projectcalico.org' },
    spec: { service: serves },
  });
  for (const options of [['--dry-run'], []]) {
    const { code, stderr } = await cluster.run(['migrate-from-calico', '--settle', '0', ...options]);
    assert.equal(code, 1);
    assert.match(stderr, /served by Calico's own API server, the Service "calico-apiserver\/calico-api"/);
  }
  assert.equal((await store.get(old, { name: 'default' })).spec.datastoreReady, true);
  const [served] = await store.list(apiService);
  assert.ok(served);
  // As it is where definitions serve the group.
  await store.update(apiService, { ...served, spec: {} });
  const { code, stderr } = await cluster.run(['migrate-from-calico', '--settle', '0']);
  assert.equal(code, 0, stderr);
});

test('an object that the new group has already stays as it is, unless it is to be overwritten', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  await store.create(networkPolicies, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'shop', name: 'web' },
    spec: { tier: 'default', selector: 'all()' },
  });
  const selector = async () =>
    (await store.get(networkPolicies, { namespace: 'shop', name: 'web' })).spec.selector;
  const kept = await cluster.run(['migrate-from-calico', '--settle', '0']);
  assert.match(kept.stdout, /NetworkPolicy "shop\/web" says something else in the new group/);
  assert.equal(await selector(), 'all()');
  await cluster.run(['migrate-from-calico', '--settle', '0', '--overwrite']);
  assert.equal(await selector(), "app == 'web'");
});
