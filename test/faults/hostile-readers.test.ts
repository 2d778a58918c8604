// Objects that no validation would let in, before those who read the store beside the policy agent: BGP, address management and
// the controllers. None of them dies of one, and what is sound is served all the while.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BgpInput, configurationText, modelOf } from '../../src/bgp/index.ts';
import { SoundDatastore } from '../../src/datastore/index.ts';
import { emptyBlock } from '../../src/ipam/block.ts';
import { GarbageCollector, IpamClient, PoolExhaustedError } from '../../src/ipam/index.ts';
import { KubeControllers } from '../../src/kube-controllers/index.ts';
import { parseCidr } from '../../src/net/index.ts';
import type { Logger } from '../../src/process/index.ts';
import {
  clusterInformations,
  type IPPool,
  type IPPoolSpec,
  ipamBlocks,
  ipamHandles,
  ipPools,
  misfit,
  nodes,
  pods,
  type Resource,
} from '../../src/resources/index.ts';
import { configuration, peer, testInput } from '../bgp/test-cluster.ts';
import { podRequest } from '../ipam/cluster.ts';
import { until } from '../kube-controllers/until.ts';
import { type HostileObject, hostileObject } from './hostile-objects.ts';
import { networkTemplates, type Template } from './hostile-templates.ts';
import { PlantedStore } from './planted-store.ts';
import { seeded } from './seeded.ts';

const seed = Number(process.env.CALICO_SEED ?? 20261126);
const apiVersion = 'projectcalico.org/v3';
const inputs = {
  Node: 'nodes',
  BGPConfiguration: 'configurations',
  BGPPeer: 'peers',
  BGPFilter: 'filters',
  IPPool: 'pools',
  BlockAffinity: 'affinities',
  Service: 'services',
  EndpointSlice: 'endpointSlices',
  Secret: 'secrets',
  Pod: 'pods',
} as const satisfies Record<string, keyof BgpInput>;

test('no object keeps BIRD from the configuration that the others ask for', (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = seeded(seed);
  const folder = mkdtempSync(join(tmpdir(), 'calico-hostile-'));
  try {
    let reported = 0;
    for (let round = 0; round < 150; round++) {
      const input = testInput({ peers: [peer({ peerIP: '10.9.0.1', asNumber: 65001 }, 'sound')] });
      const objects = Array.from({ length: 20 }, (_, n) =>
        hostileObject(round % 3 === 0 ? n : round * 20 + n, random, networkTemplates),
      );
      const { model, faults } = modelOf(withHostile(input, objects));
      reported += faults.length;
      const names = model?.peers.map(({ name }) => name) ?? [];
      assert.ok(
        names.some((name) => name.endsWith('10_9_0_1')),
        `a session with the sound peer, not ${names}`,
      );
      const isMesh = names.includes('Mesh_10_0_0_2');
      assert.ok(isMesh, 'the mesh is as it was');
      if (round % 10 > 0 || !model) continue;
      const path = join(folder, 'bird.conf');
      writeFileSync(path, configurationText(model, { logFile: join(folder, 'bird.log') }));
      const { status, stderr } = spawnSync('bird', ['-p', '-c', path], { encoding: 'utf8' });
      assert.equal(status, 0, `round ${round}: ${stderr}`);
    }
    assert.ok(reported > 150, 'what cannot be used is told');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a configuration of BGP that cannot be read changes nothing, and says so', () => {
  const wrong = configuration({ nodeToNodeMeshEnabled: 'no' as unknown as boolean });
  const { model, faults } = modelOf(
    withHostile(testInput(), [{ kind: kindOf('BGPConfiguration'), object: wrong }]),
  );
  assert.equal(model, undefined);
  assert.deepEqual(faults, [
    {
      object: 'BGPConfiguration "default"',
      sentence:
        'spec.nodeToNodeMeshEnabled must be true or false; until it can be read BIRD keeps its configuration',
    },
  ]);
});

test('a pool without a range, in the store of a cluster with BGP, is passed over', () => {
  const object = { apiVersion, kind: 'IPPool', metadata: { name: 'none' }, spec: {} };
  const { model, faults } = modelOf(withHostile(testInput(), [{ kind: ipPools, object }]));
  assert.equal(model?.peers.length, 4);
  assert.deepEqual(faults, [
    {
      object: 'IPPool "none"',
      sentence: 'spec.cidr is required; blocks that lie in no other pool are not told of',
    },
  ]);
});

test('the controllers serve what is sound, whatever stands beside it', async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = seeded(seed);
  const store = new PlantedStore();
  const complaints: string[] = [];
  const complain = (...args: unknown[]) => complaints.push(args.map(wordsOf).join(' '));
  const controllers = new KubeControllers(
    { kubeconfig: undefined, namespace: 'x', identity: 'test', health: { host: '127.0.0.1', port: 0 } },
    {},
    store,
    // One whose level the controllers may set, to no effect.
    { info() {}, warn: complain, error: complain } as unknown as Logger,
  );
  try {
    for (let round = 0, number = 0; round < 40; round++) {
      const objects = Array.from({ length: 25 }, () => hostileObject(number++, random, networkTemplates));
      for (const object of objects) store.plant(object);
      const name = `sound-${round}`;
      const pool = { apiVersion, kind: 'IPPool', metadata: { name }, spec: { cidr: `10.${round}.0.0/16` } };
      await store.create(ipPools, pool);
      await until(store, ipPools, `${name} to give addresses`, (all) =>
        all.some(
          ({ metadata, status }) => metadata.name === name && status?.conditions?.[0]?.status === 'True',
        ),
      );
      for (const object of objects) store.uproot(object);
    }
  } finally {
    await controllers.stop();
  }
  assert.ok(complaints.length > 40, 'what is not what it should be is reported');
  const broken = complaints.filter((words) => words.includes('Cannot take in'));
  assert.deepEqual(broken, [], 'no reader stumbles over what was let through');
});

test('what an object counts for that is not what its kind is, is what its kind is', (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = seeded(seed);
  const information: Template = [clusterInformations, { spec: { clusterGUID: 'a', datastoreReady: true } }];
  const templates = [...networkTemplates, information].filter(([kind]) => kind.salvage);
  const kinds = templates.map(([{ kind }]) => kind).toSorted();
  assert.deepEqual(kinds, ['ClusterInformation', 'IPAMConfiguration', 'IPReservation', 'Node']);
  for (let number = 0; number < 2_000; number++) {
    const { kind, object } = hostileObject(number, random, templates);
    const salvage = kind.salvage?.(object, { node: object.metadata.name });
    assert.ok(salvage);
    assert.equal(misfit(kind, salvage.object), undefined, JSON.stringify(object).slice(0, 300));
  }
});

test('addresses of a pod that cannot be read are not collected, and blocks that cannot be read give none', async () => {
  const store = new PlantedStore();
  const sound = new SoundDatastore(store, () => {});
  await createPool(store, { cidr: '10.0.0.0/24', blockSize: 28 });
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  const [address] = await new IpamClient(sound).autoAssign(podRequest(4, 'a', 'node-1'));
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: 'a' } };
  store.plant({ kind: pods, object: { ...pod, status: { podIPs: 'none' } } as Resource });
  let now = new Date();
  const collector = new GarbageCollector(sound, { graceMs: 1_000, now: () => now });
  await collector.sweep();
  now = new Date(now.getTime() + 60_000);
  assert.equal((await collector.sweep()).collected, 0);
  const [block] = await store.list(ipamBlocks);
  assert.ok(block && address);

  store.plant({
    kind: ipamBlocks,
    object: { ...block, spec: { ...block.spec, allocations: [7] } } as Resource,
  });
  const [other] = await new IpamClient(sound).autoAssign(podRequest(4, 'b', 'node-1'));
  assert.ok(other && other.value - (other.value % 16n) !== address.value - (address.value % 16n));
});

test('a pod whose handle cannot be read gives its address back all the same', async () => {
  const store = new PlantedStore();
  const client = new IpamClient(new SoundDatastore(store, () => {}));
  await createPool(store, { cidr: '10.0.0.0/24', blockSize: 28 });
  await client.autoAssign(podRequest(4, 'net.other', 'node-1'));
  const addresses = await client.autoAssign(podRequest(4, 'net.c1', 'node-1'));
  const handle = { apiVersion, kind: 'IPAMHandle', metadata: { name: 'net.c1' } };
  const spec = { handleID: 'net.c1', block: { garbage: 1 } };
  store.plant({ kind: ipamHandles, object: { ...handle, spec } as Resource });
  assert.deepEqual(await client.releaseByHandle('net.c1'), addresses);
  assert.deepEqual(await client.releaseByHandle('net.c1'), []);
});

test('a second object for the range of a block hands out none of its addresses', async () => {
  const store = new PlantedStore();
  const sound = new SoundDatastore(store, () => {});
  await createPool(store, { cidr: '10.0.0.0/30', blockSize: 30 });
  for (const pod of ['a', 'b', 'c', 'd']) {
    await new IpamClient(sound).autoAssign(podRequest(4, pod, 'node-1'));
  }
  const [block] = await store.list(ipamBlocks);
  assert.ok(block);
  const { resourceVersion: _stored, ...metadata } = block.metadata;
  const spec = emptyBlock(parseCidr('10.0.0.0/30'), 'host:node-2', new Date());
  await store.create(ipamBlocks, { ...block, metadata: { ...metadata, name: 'restored' }, spec });
  const another = new IpamClient(sound).autoAssign(podRequest(4, 'e', 'node-2'));
  await assert.rejects(another, PoolExhaustedError);
});

function createPool(store: PlantedStore, spec: IPPoolSpec): Promise<IPPool> {
  return store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: 'p' }, spec });
}

function withHostile(input: BgpInput, objects: readonly HostileObject[]): BgpInput {
  const lists: Record<string, unknown[]> = {};
  const misfits: { kind: string; key: string; fault: string }[] = [];
  for (const { kind, object } of objects) {
    const list = inputs[kind.kind as keyof typeof inputs];
    if (list === undefined) continue;
    const fault = misfit(kind, object);
    if (fault !== undefined) misfits.push({ kind: kind.kind, key: object.metadata.name, fault });
    else lists[list] = [...(lists[list] ?? input[list]), object];
  }
  return { ...input, ...lists, misfits };
}

function kindOf(kind: string) {
  return networkTemplates.find(([one]) => one.kind === kind)?.[0] ?? assert.fail(kind);
}

function wordsOf(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message;
  if (typeof value === 'object' && value !== null) return Object.values(value).map(wordsOf).join(' ');
  return String(value);
}
