// What the garbage collector makes of blocks that serve nobody, and of counts that a late write left wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryDatastore } from '../../src/datastore/index.ts';
import { assign, emptyBlock } from '../../src/ipam/block.ts';
import { GarbageCollector, IpamClient } from '../../src/ipam/index.ts';
import { formatAddress, parseCidr } from '../../src/net/index.ts';
import {
  blockAffinities,
  blockName,
  ipamBlocks,
  ipamHandles,
  nodes,
  type Pod,
  pods,
} from '../../src/resources/index.ts';
import { audit, podRequest, smallPool, storeWith } from './cluster.ts';

const handleId = 'net.c1';

/** A pod with an address, and what a block write left that came when its writer had long given up. */
async function storeWithLateWrite({ isCounted }: { isCounted: boolean }) {
  const store = await storeWith({ p: smallPool[4] });
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  const client = new IpamClient(store);
  const owner = { ...podRequest(4, handleId, 'node-1'), attributes: { pod: 'web', namespace: 'shop' } };
  const [address] = await client.autoAssign(owner);
  assert.ok(address);
  await store.create<Pod>(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web',
      namespace: 'shop',
      annotations: { 'cni.projectcalico.org/podIPs': `${formatAddress(address)}/32` },
    },
  });
  if (isCounted) {
    const [block] = await store.list(ipamBlocks);
    assert.ok(block);
    await store.update(ipamBlocks, { ...block, spec: assign(block.spec, 1, owner).spec });
  } else {
    const [handle] = await store.list(ipamHandles);
    assert.ok(handle);
    await store.delete(ipamHandles, { name: handle.metadata.name });
  }
  return { store, client, address };
}

/** Sweeps until nothing is left to do, a quarter of an hour apart. */
async function collect(store: MemoryDatastore): Promise<void> {
  let time = Date.now();
  const collector = new GarbageCollector(store, { now: () => new Date(time), elapsedMs: () => time });
  for (let sweeps = 0; ; sweeps++) {
    const { waiting, collected, failures } = await collector.sweep();
    assert.deepEqual(failures, []);
    assert.ok(sweeps < 5, 'there is something new in every sweep');
    if (waiting + collected === 0) return;
    time += 16 * 60_000;
  }
}

test('an address that nobody counted is freed, and the count of the others stays', async () => {
  const { store, client, address } = await storeWithLateWrite({ isCounted: true });
  await collect(store);
  assert.deepEqual(await audit(store), { assigned: 1, excess: 0 });
  assert.deepEqual(await client.releaseByHandle(handleId), [address]);
});

test('a handle that went before its address is made again, so that its owner can release it', async () => {
  const { store, client, address } = await storeWithLateWrite({ isCounted: false });
  assert.deepEqual(await client.releaseByHandle(handleId), []);
  await collect(store);
  assert.deepEqual(await client.releaseByHandle(handleId), [address]);
  assert.deepEqual(await store.list(ipamHandles), []);
});

test('a clock that is set forward ends no grace', async () => {
  const { store } = await storeWithLateWrite({ isCounted: true });
  let now = new Date();
  let elapsed = 0;
  const collector = new GarbageCollector(store, { now: () => now, elapsedMs: () => elapsed });
  const { waiting } = await collector.sweep();
  assert.ok(waiting > 0);
  now = new Date(now.getTime() + 24 * 60 * 60_000);
  assert.deepEqual(await collector.sweep(), { waiting, collected: 0, failures: [] });
  elapsed += 16 * 60_000;
  assert.equal((await collector.sweep()).collected, waiting);
});

test('of the empty blocks of a node one is kept, and after a while the others go', async () => {
  const store = await storeWith({ p: smallPool[4] });
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  const client = new IpamClient(store);
  await client.autoAssign(podRequest(4, handleId, 'node-1', 24));
  await client.releaseByHandle(handleId);
  assert.equal((await store.list(ipamBlocks)).length, 3);
  const collector = new GarbageCollector(store, { now: () => new Date() });
  assert.deepEqual(await collector.sweep(), { waiting: 2, collected: 0, failures: [] });
  await collect(store);
  assert.equal((await store.list(ipamBlocks)).length, 1);
  assert.equal((await store.list(blockAffinities)).length, 1);
});

test('a claim without its block is used by its node again, or given up', async () => {
  const store = await storeWith({ p: smallPool[4] });
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  const client = new IpamClient(store);
  await client.autoAssign(podRequest(4, handleId, 'node-1'));
  const [block] = await store.list(ipamBlocks);
  assert.ok(block);
  // As when somebody released the block while its node finished the claim.
  await store.delete(ipamBlocks, { name: block.metadata.name });
  const again = new IpamClient(store);
  await again.autoAssign(podRequest(4, 'net.c2', 'node-1'));
  assert.deepEqual(
    (await store.list(ipamBlocks)).map(({ spec }) => spec.cidr),
    [block.spec.cidr],
  );
  await store.delete(ipamBlocks, { name: block.metadata.name });
  await collect(store);
  assert.deepEqual(await store.list(blockAffinities), []);
});

test('a claim that Calico had begun to delete is used by its node again, or given up', async () => {
  const store = await storeWith({ p: smallPool[4] });
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  await new IpamClient(store).autoAssign(podRequest(4, handleId, 'node-1'));
  const mark = async () => {
    const [claim] = await store.list(blockAffinities);
    assert.ok(claim);
    await store.update(blockAffinities, { ...claim, spec: { ...claim.spec, deleted: true } });
  };
  await mark();
  const again = new IpamClient(store);
  await again.autoAssign(podRequest(4, 'net.c2', 'node-1'));
  assert.equal((await store.list(ipamBlocks)).length, 1);
  assert.deepEqual(
    (await store.list(blockAffinities)).map(({ spec }) => [spec.state, spec.deleted]),
    [['confirmed', false]],
  );
  await mark();
  await collect(store);
  assert.deepEqual(await store.list(blockAffinities), []);
});

test('addresses of further interfaces of a pod, and of a virtual machine that no pod runs, are left alone', async () => {
  const { store, client } = await storeWithLateWrite({ isCounted: true });
  await collect(store);
  const annotations = { 'cni.projectcalico.org/containerID': 'c1' };
  await store.mergePatch(pods, { namespace: 'shop', name: 'web' }, { metadata: { annotations } });
  const attributes = { node: 'node-1', pod: 'web', namespace: 'shop' };
  for (const handle of ['macvlan.c1', 'macvlan.older', 'net.vmi.shop.machine']) {
    const owner = handle.includes('.vmi.') ? { ...attributes, pod: 'launcher-gone' } : attributes;
    await client.autoAssign({ ...podRequest(4, handle, 'node-1'), attributes: owner });
  }
  await collect(store);
  const left = (await store.list(ipamHandles)).map(({ spec }) => spec.handleID).toSorted();
  assert.deepEqual(left, ['macvlan.c1', handleId, 'net.vmi.shop.machine']);
});

/** A block that Calico had begun to delete. */
async function markBlock(store: MemoryDatastore, text: string, affinity: string | undefined): Promise<void> {
  const cidr = parseCidr(text);
  const { affinity: _owner, ...spec } = { ...emptyBlock(cidr, 'host:node-1', new Date()), deleted: true };
  await store.create(ipamBlocks, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMBlock',
    metadata: { name: blockName(cidr) },
    spec: { ...spec, ...(affinity && { affinity }) },
  });
}

for (const affinity of ['host:node-1', undefined]) {
  const whose = affinity === undefined ? 'nobody' : 'its node';
  test(`a block of ${whose} that somebody began to delete gives no address, goes, and comes again`, async () => {
    const store = await storeWith({ p: { cidr: '10.0.0.0/29', blockSize: 29 } });
    await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
    await markBlock(store, '10.0.0.0/29', affinity);
    const client = new IpamClient(store);
    await client.autoAssign(podRequest(4, handleId, 'node-1'));
    assert.deepEqual(
      (await store.list(ipamBlocks)).map(({ spec }) => spec.deleted),
      [false],
    );
    await client.releaseByHandle(handleId);
    assert.deepEqual(await audit(store), { assigned: 0, excess: 0 });
  });

  test(`a block of ${whose} that somebody began to delete is collected`, async () => {
    const store = await storeWith({ p: smallPool[4] });
    await markBlock(store, '10.9.0.0/29', affinity);
    await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
    await collect(store);
    assert.deepEqual(await store.list(ipamBlocks), []);
  });
}
