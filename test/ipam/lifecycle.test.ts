// What time and administrators do to addresses: cooldown, reservations, reclaimed blocks, pools that close or go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddressInUseError,
  FollowedSources,
  IpamClient,
  NoPoolError,
  PoolExhaustedError,
  reservationsFrom,
  usageOf,
} from '../../src/ipam/index.ts';
import { type Address, formatAddress, parseAddress } from '../../src/net/index.ts';
import {
  blockAffinities,
  type IPReservation,
  ipamBlocks,
  ipamHandles,
  ipPools,
  ipReservations,
} from '../../src/resources/index.ts';
import { audit, podRequest, smallPool, storeWith } from './cluster.ts';

class Clock {
  #time = Date.parse('2026-03-01T00:00:00Z');

  readonly now = (): Date => new Date(this.#time);

  advance(seconds: number): void {
    this.#time += seconds * 1000;
  }
}

function reservation(...reservedCIDRs: string[]): IPReservation {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPReservation',
    metadata: { name: 'r' },
    spec: { reservedCIDRs },
  };
}

const texts = (addresses: readonly Address[]) => addresses.map(formatAddress);

for (const family of [4, 6] as const) {
  const pool = smallPool[family];
  const first = family === 4 ? '10.0.0.0' : 'fd00::';
  const bits = family === 4 ? 32 : 128;

  test(`a released IPv${family} address rests for as long as the configuration says`, async () => {
    const clock = new Clock();
    const tiny = { ...pool, cidr: `${first}/${bits - 2}`, blockSize: bits - 2 };
    const store = await storeWith({ p: tiny }, { ipCooldownSeconds: 60 });
    const client = new IpamClient(store, { now: clock.now });
    const taken = texts(await client.autoAssign(podRequest(family, 'all', 'node-1', 4)));
    await client.releaseByHandle('all');
    assert.deepEqual(await store.list(ipamHandles), []);
    const [resting] = await store.list(ipamBlocks);
    assert.deepEqual(resting?.spec.attributes, [{ releasedAt: clock.now().toISOString() }]);
    clock.advance(59);
    await assert.rejects(client.autoAssign(podRequest(family, 'early', 'node-1')), PoolExhaustedError);
    const address = parseAddress(first);
    const byName = { node: 'node-1', address, handleId: 'n', attributes: {} };
    await assert.rejects(client.assignAddress(byName), (error: Error) => {
      assert.ok(error instanceof AddressInUseError);
      assert.match(error.message, /cools down$/);
      return true;
    });
    clock.advance(1);
    const again = texts(await client.autoAssign(podRequest(family, 'late', 'node-1', 4)));
    assert.deepEqual(again.toSorted(), taken.toSorted());
    assert.deepEqual(await audit(store), { assigned: 4, excess: 0 });
  });

  test(`a reserved IPv${family} address is had by name only`, async () => {
    const store = await storeWith({ p: { ...pool, cidr: `${first}/${bits - 3}` } });
    await store.create(ipReservations, reservation(`${first}/${bits - 2}`));
    const client = new IpamClient(store, { view: new FollowedSources(store, 'node-1') });
    const free = await client.autoAssign(podRequest(family, 'a', 'node-1', 4));
    for (const { value } of free) assert.ok(value % 8n >= 4n);
    await assert.rejects(client.autoAssign(podRequest(family, 'b', 'node-1')), PoolExhaustedError);
    await client.assignAddress({
      node: 'node-1',
      address: parseAddress(first),
      handleId: 'c',
      attributes: {},
    });
    await store.delete(ipReservations, { name: 'r' });
    // The view may lag behind: what it cannot give is asked of the store.
    assert.equal((await client.autoAssign(podRequest(family, 'd', 'node-1', 3))).length, 3);
  });

  test(`a wholly reserved IPv${family} block is never claimed`, async () => {
    const store = await storeWith({ p: pool });
    await store.create(ipReservations, reservation(`${first}/${bits - 5}`));
    const client = new IpamClient(store);
    assert.equal((await client.autoAssign(podRequest(family, 'a', 'node-1', 32))).length, 32);
    assert.equal((await store.list(ipamBlocks)).length, 4);
    await assert.rejects(client.autoAssign(podRequest(family, 'b', 'node-1')), PoolExhaustedError);
  });

  test(`an IPv${family} block that another node leaves empty is taken over after a minute`, async () => {
    const clock = new Clock();
    const store = await storeWith({ p: pool }, { strictAffinity: true });
    const client = new IpamClient(store, { now: clock.now });
    await client.autoAssign(podRequest(family, 'idle', 'node-2'));
    await client.releaseByHandle('idle');
    await client.autoAssign(podRequest(family, 'busy', 'node-1', 56));
    clock.advance(59);
    await assert.rejects(client.autoAssign(podRequest(family, 'more', 'node-1')), PoolExhaustedError);
    clock.advance(1);
    assert.equal((await client.autoAssign(podRequest(family, 'more', 'node-1'))).length, 1);
    const owners = new Set((await store.list(blockAffinities)).map(({ spec }) => spec.node));
    assert.deepEqual([...owners], ['node-1']);
    await audit(store);
  });

  test(`pods of a full IPv${family} pool recover when an address frees`, async () => {
    const store = await storeWith({ p: pool });
    const clients = ['node-1', 'node-2'].map(
      (node) => new IpamClient(store, { view: new FollowedSources(store, node) }),
    );
    await clients[0]?.autoAssign(podRequest(family, 'one', 'node-1', 1));
    await clients[0]?.autoAssign(podRequest(family, 'rest', 'node-1', 63));
    const waiting = podRequest(family, 'waiting', 'node-2');
    await assert.rejects(async () => clients[1]?.autoAssign(waiting), PoolExhaustedError);
    const freed = await clients[0]?.releaseByHandle('one');
    assert.deepEqual(await clients[1]?.autoAssign(waiting), freed);
  });

  test(`a disabled IPv${family} pool keeps its owners, takes back, and gives nothing more`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    const [address] = await client.autoAssign(podRequest(family, 'a', 'node-1'));
    assert.ok(address);
    const [stored] = await store.list(ipPools);
    assert.ok(stored);
    await store.update(ipPools, { ...stored, spec: { ...stored.spec, disabled: true } });
    await assert.rejects(client.autoAssign(podRequest(family, 'b', 'node-1')), /"p" is disabled/);
    const byName = { node: 'node-1', address: parseAddress(`${first}${family === 4 ? '' : '1'}`) };
    await assert.rejects(
      client.assignAddress({ ...byName, handleId: 'c', attributes: {} }),
      (error: Error) => error instanceof NoPoolError && /"p" is disabled/.test(error.message),
    );
    assert.deepEqual(await client.releaseByHandle('a'), [address]);
  });

  test(`a deleted IPv${family} pool leaves its addresses to their owners, and another block size never overlaps them`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    const kept = texts(await client.autoAssign(podRequest(family, 'kept', 'node-1', 8)));
    await store.delete(ipPools, { name: 'p' });
    assert.deepEqual(texts(await client.addressesByHandle('kept')), kept);
    await store.create(ipPools, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name: 'q' },
      spec: { ...pool, blockSize: bits - 4 },
    });
    const drawn: string[] = [];
    for (let i = 0; i < 48; i++) {
      drawn.push(...texts(await client.autoAssign(podRequest(family, `q${i}`, 'node-2'))));
    }
    assert.equal(new Set([...drawn, ...kept]).size, 56);
    await assert.rejects(client.autoAssign(podRequest(family, 'q', 'node-2')), PoolExhaustedError);
    const address = parseAddress(kept[0] ?? '');
    await assert.rejects(
      client.assignAddress({ node: 'node-2', address, handleId: 'x', attributes: {} }),
      /of another size, still stands there/,
    );
    assert.equal((await client.releaseByHandle('kept')).length, 8);
  });
}

test('addresses of load balancers come from blocks that no node owns and none borrows from', async () => {
  const store = await storeWith({
    lb: { cidr: '10.9.0.0/29', blockSize: 29, allowedUses: ['LoadBalancer'] },
  });
  const client = new IpamClient(store);
  const request = { ...podRequest(4, 'lb-x', 'anybody'), use: 'LoadBalancer' as const };
  assert.equal((await client.autoAssign(request)).length, 1);
  const [affinity] = await store.list(blockAffinities);
  assert.deepEqual([affinity?.spec.type, affinity?.spec.node], ['virtual', 'load-balancer']);
  assert.equal((await store.list(ipamBlocks))[0]?.spec.affinity, 'virtual:load-balancer');
  await assert.rejects(client.autoAssign(podRequest(4, 'pod', 'node-1')), /"lb" is for LoadBalancer only/);
});

test('a request may want fewer blocks for its node than the cluster allows', async () => {
  const store = await storeWith({ p: smallPool[4] }, { strictAffinity: true, maxBlocksPerHost: 3 });
  const client = new IpamClient(store);
  const request = podRequest(4, 'a', 'node-1', 17);
  await assert.rejects(client.autoAssign({ ...request, maxBlocksPerHost: 2 }), PoolExhaustedError);
  assert.equal((await client.autoAssign({ ...request, maxBlocksPerHost: 9 })).length, 17);
});

test('usage tells what is in use, reserved and available, and counts no address twice', async () => {
  const store = await storeWith({ p: smallPool[4] });
  const client = new IpamClient(store);
  await client.assignAddress({
    node: 'n',
    address: parseAddress('10.0.0.1'),
    handleId: 'a',
    attributes: {},
  });
  const reservations = reservationsFrom([reservation('10.0.0.0/30', '10.0.0.32/31')]);
  const [usage] = usageOf(await store.list(ipPools), await store.list(ipamBlocks), { reservations });
  const { total, inUse, reserved, available, blocks } = usage ?? {};
  assert.deepEqual([total, inUse, reserved, available], [64n, 1n, 6n, 58n]);
  assert.deepEqual([blocks?.[0]?.total, blocks?.[0]?.reserved, blocks?.[0]?.available], [8n, 4n, 4n]);
});
