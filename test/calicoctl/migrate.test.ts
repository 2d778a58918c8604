import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Datastore } from '../../src/datastore/index.ts';
import { IpamClient } from '../../src/ipam/index.ts';
import { formatAddress } from '../../src/net/index.ts';
import {
  blockAffinities,
  clusterInformations,
  customResourceDefinitions,
  globalNetworkPolicies,
  globalNetworkSets,
  ipamBlocks,
  ipamHandles,
  ipPools,
  namespaces,
  networkPolicies,
  type Resource,
  type ResourceKind,
} from '../../src/resources/index.ts';
import { podRequest } from '../ipam/cluster.ts';
import { until } from '../kube-controllers/until.ts';
import { ApiCluster } from './api-cluster.ts';
import {
  createLegacyObjects,
  declareKind,
  declareLegacyKinds,
  type Legacy,
  legacy,
  legacyKind,
} from './legacy-cluster.ts';

const calicoctl = join(import.meta.dirname, '..', '..', 'bin', 'calicoctl.ts');
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
      ['plain', { 'projectcalico.org/tier': 'default' }, 'default'],
      ['web', { team: 'shop', 'projectcalico.org/tier': 'default' }, 'default'],
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

test('a dry run needs no kinds that are declared later, and copying says that it does', async () => {
  await using cluster = await legacyCluster();
  for (const { metadata, spec } of await cluster.store.list(customResourceDefinitions))
    if (spec.group === 'projectcalico.org') await cluster.store.delete(customResourceDefinitions, metadata);
  const dry = await cluster.run(['migrate-from-calico', '--dry-run']);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^NetworkPolicy +2 +0 +0 +0$/m);
  for (const options of [[], ['--abort']]) {
    const { code, stderr } = await cluster.run(['migrate-from-calico', ...options]);
    assert.equal(code, 1);
    assert.match(stderr, /not declared in this cluster yet; do that first: kubectl apply -f manifests\/crds/);
  }
  assert.equal((await cluster.store.get(old, { name: 'default' })).spec.datastoreReady, true);
});

test('a block gets the name that agents look for', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  const kind = legacyKind('IPAMBlock');
  const [block] = await store.list(kind);
  assert.ok(block);
  await store.delete(kind, block.metadata);
  await store.create(kind, legacy('IPAMBlock', { name: 'another' }, block.spec));
  const { code, stderr } = await cluster.run(['migrate-from-calico', '--settle', '0']);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    (await store.list(ipamBlocks)).map((one) => one.metadata.name),
    ['192-168-71-0-26'],
  );
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

const migrateArguments = ['migrate-from-calico', '--settle', '0'];

/** As when the new Calico has been at work here. */
async function tellOfNewGroup(
  store: Datastore,
  spec: { readonly datastoreReady: boolean; readonly clusterGUID?: string },
): Promise<void> {
  await store.create(clusterInformations, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'ClusterInformation',
    metadata: { name: 'default' },
    spec,
  });
}

test('ids of handles keep their capitals, and objects what users and their tools noted on them', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  const handleID = 'lb-AbCdEf';
  const [block] = await store.list(legacyKind('IPAMBlock'));
  assert.ok(block);
  const { allocations, unallocated, attributes } = block.spec as {
    allocations: unknown[];
    unallocated: number[];
    attributes: unknown[];
  };
  const spec = {
    ...block.spec,
    allocations: allocations.with(2, 2),
    unallocated: unallocated.slice(1),
    attributes: [...attributes, { handle_id: handleID, secondary: { type: 'loadBalancer' } }],
  };
  await store.update(legacyKind('IPAMBlock'), { ...block, spec });
  await store.create(
    legacyKind('IPAMHandle'),
    legacy(
      'IPAMHandle',
      { name: handleID.toLowerCase() },
      { handleID, block: { '192.168.71.0/26': 1 }, deleted: false },
    ),
  );
  // Newer versions keep labels and annotations where Kubernetes does.
  const set = legacy('GlobalNetworkSet', { name: 'noted' }, { nets: ['203.0.113.1/32'] }, {});
  await store.create(legacyKind('GlobalNetworkSet'), {
    ...set,
    metadata: {
      ...set.metadata,
      labels: { zone: 'a' },
      annotations: { ...set.metadata.annotations, owner: 'shop' },
    },
  });
  const { code, stderr } = await cluster.run(migrateArguments);
  assert.equal(code, 0, stderr);
  const noted = await store.get(globalNetworkSets, { name: 'noted' });
  assert.deepEqual([noted.metadata.labels, noted.metadata.annotations], [{ zone: 'a' }, { owner: 'shop' }]);
  const client = new IpamClient(store);
  assert.deepEqual((await client.addressesByHandle(handleID)).map(formatAddress), ['192.168.71.2']);
  assert.deepEqual((await client.releaseByHandle(handleID)).map(formatAddress), ['192.168.71.2']);
});

test('what nobody here would program is refused, two that would be one, and kinds that stay behind are told of', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  const create = (...[kind, metadata, spec]: Parameters<typeof legacy>) =>
    store.create(legacyKind(kind), legacy(kind, metadata, spec));
  await create('IPPool', { name: 'tunnelled' }, { cidr: '10.9.0.0/16', ipipMode: 'CrossSubnet' });
  await create('FelixConfiguration', { name: 'node.node-1' }, { bpfEnabled: true, wireguardEnabled: true });
  await create('NetworkPolicy', { namespace: 'shop', name: 'plain' }, { selector: 'all()' });
  const enterprise = {
    ...legacyKind('NetworkSet'),
    kind: 'PacketCapture',
    plural: 'packetcaptures',
  };
  await declareKind(store, enterprise);
  await store.create(enterprise, {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'PacketCapture',
    metadata: { namespace: 'shop', name: 'one' },
    spec: {},
  });
  const { code, stdout } = await cluster.run([...migrateArguments, '--dry-run']);
  assert.equal(code, 1);
  assert.match(stdout, /^IPPool "tunnelled" is invalid: spec\.ipipMode: IP-in-IP is not programmed here/m);
  assert.match(
    stdout,
    /^FelixConfiguration "node\.node-1" is invalid: spec\.bpfEnabled: .*; spec\.wireguardEnabled: /m,
  );
  assert.match(stdout, /^NetworkPolicy "shop\/plain" is invalid: two stored objects become this one$/m);
  assert.match(stdout, /^1 objects of PacketCapture stay behind: the kind is unknown here$/m);
});

test('a copying that was killed can be given up, and a later one leaves nothing of it', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  const killed = spawn(process.execPath, [calicoctl, 'migrate-from-calico', '--settle', '600'], {
    env: { PATH: process.env.PATH, HOME: cluster.folder, KUBECONFIG: cluster.kubeconfig },
    stdio: 'ignore',
  });
  const ended = once(killed, 'exit');
  try {
    await until(store, ipamHandles, 'the handles to be copied', (all) => all.length === 2);
  } finally {
    killed.kill('SIGKILL');
    await ended;
  }
  assert.equal((await store.get(old, { name: 'default' })).spec.datastoreReady, false);
  const aborted = await cluster.run(['migrate-from-calico', '--abort']);
  assert.equal(aborted.code, 0, aborted.stderr);
  assert.equal((await store.get(old, { name: 'default' })).spec.datastoreReady, true);

  // The old cluster goes on: the pod ends, and its block goes to another node.
  await store.delete(legacyKind('IPAMHandle'), { name: 'k8s-pod-network.aaaa' });
  await store.delete(legacyKind('BlockAffinity'), { name: 'node-1-192-168-71-0-26' });
  const claim = { cidr: '192.168.71.0/26', node: 'node-2', state: 'confirmed', deleted: 'false' };
  await store.create(
    legacyKind('BlockAffinity'),
    legacy('BlockAffinity', { name: 'node-2-192-168-71-0-26' }, claim),
  );
  const { code, stdout, stderr } = await cluster.run(migrateArguments);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^2 objects about addresses are left of a copying that was given up, and go$/m);
  const names = (objects: readonly Resource[]) => objects.map(({ metadata: { name } }) => name);
  assert.deepEqual(names(await store.list(blockAffinities)), ['node-2-192-168-71-0-26']);
  assert.deepEqual(names(await store.list(ipamHandles)), ['vxlan-tunnel-addr-node-1']);
});

test('who still copies when another has put the new group in charge leaves its addresses alone', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  const slow = cluster.run(['migrate-from-calico', '--settle', '3']);
  await until(store, ipamHandles, 'the handles to be copied', (all) => all.length === 2);
  const { code, stderr } = await cluster.run(migrateArguments);
  assert.equal(code, 0, stderr);
  await new IpamClient(store).autoAssign(podRequest(4, 'next', 'node-1'));
  const before = await store.list(ipamBlocks);
  assert.equal((await slow).code, 0, (await slow).stderr);
  assert.deepEqual(await store.list(ipamBlocks), before);
  const { spec } = await store.get(clusterInformations, { name: 'default' });
  assert.equal(spec.datastoreReady, true);
});

test('two groups that both assign addresses are told of, and nothing is written', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  await tellOfNewGroup(store, { datastoreReady: true });
  await store.create(ipPools, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'ours' },
    spec: { cidr: '10.8.0.0/16' },
  });
  await new IpamClient(store).autoAssign(podRequest(4, 'early', 'node-1'));
  for (const options of [['--dry-run'], []]) {
    const { code, stderr } = await cluster.run([...migrateArguments, ...options]);
    assert.equal(code, 1);
    assert.match(stderr, /Both groups are in charge of addresses/);
  }
  assert.deepEqual(await store.list(networkPolicies), []);
});

test('a cluster that knows of the new group already assigns nothing there until all is copied', async () => {
  await using cluster = await legacyCluster();
  const { store } = cluster;
  await tellOfNewGroup(store, { datastoreReady: true, clusterGUID: 'ours' });
  const slow = cluster.run(['migrate-from-calico', '--settle', '1']);
  await until(store, ipamHandles, 'the handles to be copied', (all) => all.length === 2);
  const halfway = await store.get(clusterInformations, { name: 'default' });
  assert.equal(halfway.spec.datastoreReady, false);
  assert.equal((await slow).code, 0, (await slow).stderr);
  const after = await store.get(clusterInformations, { name: 'default' });
  assert.equal(after.spec.datastoreReady, true);
});
