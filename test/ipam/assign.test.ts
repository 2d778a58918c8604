// What IPAM hands out, to whom, and what it refuses; one client, nothing failing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddressInUseError,
  BlockNotEmptyError,
  IpamClient,
  NoPoolError,
  PoolExhaustedError,
} from '../../src/ipam/index.ts';
import { cidrContains, formatAddress, parseAddress, parseCidr } from '../../src/net/index.ts';
import { blockAffinities, ipamBlocks, ipamHandles, nodes } from '../../src/resources/index.ts';
import { audit, podRequest, smallPool, storeWith } from './cluster.ts';

for (const family of [4, 6] as const) {
  const pool = smallPool[family];

  test(`an IPv${family} address comes from the pool and is stored as Calico stores it`, async () => {
    const store = await storeWith({ p: pool });
    const [address] = await new IpamClient(store).autoAssign(podRequest(family, 'net.c1', 'node-1'));
    assert.ok(address && cidrContains(parseCidr(pool.cidr), address));
    const [block] = await store.list(ipamBlocks);
    assert.ok(block);
    assert.equal(block.metadata.name, block.spec.cidr.replaceAll(/[.:/]/g, '-'));
    assert.equal(block.spec.affinity, 'host:node-1');
    assert.deepEqual(block.spec.attributes, [
      { handle_id: 'net.c1', secondary: { pod: 'net.c1', node: 'node-1' } },
    ]);
    assert.deepEqual(block.spec.allocations, [0, null, null, null, null, null, null, null]);
    const [handle] = await store.list(ipamHandles);
    assert.equal(handle?.metadata.name, 'net.c1');
    assert.deepEqual(handle?.spec, { handleID: 'net.c1', block: { [block.spec.cidr]: 1 }, deleted: false });
    const [affinity] = await store.list(blockAffinities);
    assert.deepEqual(affinity?.spec, {
      state: 'confirmed',
      node: 'node-1',
      type: 'host',
      cidr: block.spec.cidr,
      deleted: false,
    });
  });

  test(`who differs from another in case alone loses no IPv${family} address with it`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    const held = await Promise.all(
      ['net.ab', 'net.aB', 'net.Ab'].map((id) => client.autoAssign(podRequest(family, id, 'node-1'))),
    );
    assert.equal(new Set(held.flat().map(formatAddress)).size, 3);
    assert.deepEqual(await client.releaseByHandle('net.aB'), held[1]);
    assert.deepEqual(await client.addressesByHandle('net.ab'), held[0]);
    assert.deepEqual(await client.addressesByHandle('net.Ab'), held[2]);
    assert.deepEqual(await audit(store), { assigned: 2, excess: 0 });
  });

  test(`IPv${family} addresses of a handle that Calico named are counted and released, by its own ID alone`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    const before = await client.autoAssign(podRequest(family, 'Net.ab', 'node-1'));
    const [handle] = await store.list(ipamHandles);
    assert.ok(handle);
    await store.delete(ipamHandles, handle.metadata);
    await store.create(ipamHandles, { ...handle, metadata: { name: 'net.ab' } });
    const after = await client.autoAssign(podRequest(family, 'Net.ab', 'node-1'));
    assert.deepEqual(await client.addressesByHandle('Net.ab'), [...before, ...after]);
    assert.deepEqual(await client.releaseByHandle('net.ab'), []);
    await assert.rejects(client.autoAssign(podRequest(family, 'net.ab', 'node-1')), /is not of "net\.ab"/);
    assert.deepEqual(await audit(store), { assigned: 2, excess: 0 });
    assert.deepEqual(await client.releaseByHandle('Net.ab'), [...before, ...after]);
    assert.deepEqual(await store.list(ipamHandles), []);
  });

  test(`a free IPv${family} address that a block does not list is given, and one that it lists twice once`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    await client.autoAssign(podRequest(family, 'first', 'node-1'));
    const [block] = await store.list(ipamBlocks);
    assert.ok(block);
    await store.update(ipamBlocks, { ...block, spec: { ...block.spec, unallocated: [3, 3, 5, 4, 5] } });
    const other = new IpamClient(store);
    const rest = await other.autoAssign(podRequest(family, 'rest', 'node-1', 7));
    assert.equal(new Set(rest.map(formatAddress)).size, 7);
    assert.equal((await store.list(ipamBlocks)).length, 1);
    assert.deepEqual(await audit(store), { assigned: 8, excess: 0 });
  });

  test(`a node uses up its IPv${family} blocks before it claims another`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    for (let i = 0; i < 8; i++) await client.autoAssign(podRequest(family, `h${i}`, 'node-1'));
    assert.equal((await store.list(ipamBlocks)).length, 1);
    await client.autoAssign(podRequest(family, 'h8', 'node-1'));
    assert.equal((await store.list(ipamBlocks)).length, 2);
    assert.deepEqual(await audit(store), { assigned: 9, excess: 0 });
  });

  test(`an IPv${family} address in a known block takes two writes`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    await client.autoAssign(podRequest(family, 'first', 'node-1'));
    const verbs: string[] = [];
    store.interference = {
      before: ({ verb, kind }) => {
        if (verb !== 'get' && verb !== 'list') verbs.push(`${verb} ${kind}`);
      },
    };
    await client.autoAssign(podRequest(family, 'second', 'node-1'));
    assert.deepEqual(verbs, ['create IPAMHandle', 'update IPAMBlock']);
  });

  test(`the whole IPv${family} pool can be drawn by one node and not one address more`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    const all = await client.autoAssign(podRequest(family, 'all', 'node-1', 64));
    assert.equal(new Set(all.map(formatAddress)).size, 64);
    await assert.rejects(client.autoAssign(podRequest(family, 'more', 'node-1')), (error: Error) => {
      assert.ok(error instanceof PoolExhaustedError);
      assert.match(error.message, /no block has 1 free address in "p" \(/);
      return true;
    });
    assert.equal((await client.releaseByHandle('all')).length, 64);
    assert.deepEqual(await store.list(ipamHandles), []);
    assert.deepEqual(await audit(store), { assigned: 0, excess: 0 });
  });

  test(`a request for too many IPv${family} addresses leaves nothing assigned`, async () => {
    const store = await storeWith({ p: pool });
    await assert.rejects(
      new IpamClient(store).autoAssign(podRequest(family, 'greedy', 'node-1', 65)),
      PoolExhaustedError,
    );
    assert.deepEqual(await audit(store), { assigned: 0, excess: 0 });
    assert.deepEqual(await store.list(ipamHandles), []);
  });

  test(`a node that owns no IPv${family} block borrows, unless affinity is strict`, async () => {
    for (const strictAffinity of [false, true]) {
      const store = await storeWith({ p: pool }, { strictAffinity });
      const client = new IpamClient(store);
      await client.autoAssign(podRequest(family, 'rich', 'node-1', 57));
      const borrowing = client.autoAssign(podRequest(family, 'poor', 'node-2'));
      if (strictAffinity) await assert.rejects(borrowing, PoolExhaustedError);
      else assert.equal((await borrowing).length, 1);
      await audit(store);
    }
  });

  test(`an IPv${family} address asked for by name is had once`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    const address = parseAddress(family === 4 ? '10.0.0.9' : 'fd00::9');
    const request = { node: 'node-1', address, handleId: 'a', attributes: {} };
    await client.assignAddress(request);
    await client.assignAddress(request);
    await assert.rejects(client.assignAddress({ ...request, handleId: 'b' }), AddressInUseError);
    assert.deepEqual(await client.addressesByHandle('a'), [address]);
    assert.deepEqual(await client.addressesByHandle('b'), []);
    assert.deepEqual(await audit(store), { assigned: 1, excess: 0 });
  });

  test(`IPv${family} addresses are released by their holder only, and once`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    const addresses = await client.autoAssign(podRequest(family, 'a', 'node-1', 3));
    assert.deepEqual(await client.releaseAddresses(addresses, 'b'), []);
    assert.deepEqual(await client.releaseAddresses(addresses, 'a'), addresses);
    assert.deepEqual(await client.releaseAddresses(addresses), []);
    assert.deepEqual(await store.list(ipamHandles), []);
  });

  test(`a node's IPv${family} blocks go with the node, and a used one with its last address`, async () => {
    const store = await storeWith({ p: pool });
    const client = new IpamClient(store);
    await client.autoAssign(podRequest(family, 'a', 'node-1', 8));
    await client.autoAssign(podRequest(family, 'b', 'node-1', 1));
    await client.releaseByHandle('b');
    await assert.rejects(client.releaseHostAffinities('node-1', { mustBeEmpty: true }), BlockNotEmptyError);
    await client.releaseHostAffinities('node-1', { mustBeEmpty: false });
    assert.deepEqual(await store.list(blockAffinities), []);
    const [orphan, ...others] = await store.list(ipamBlocks);
    assert.equal(others.length, 0);
    assert.equal(orphan?.spec.affinity, undefined);
    await client.releaseByHandle('a');
    assert.deepEqual(await store.list(ipamBlocks), []);
  });
}

test('both families come under one handle', async () => {
  const store = await storeWith({ four: smallPool[4], six: smallPool[6] });
  const client = new IpamClient(store);
  const request = { ...podRequest(4, 'dual', 'node-1'), count: { 4: 1, 6: 1 } };
  const addresses = await client.autoAssign(request);
  assert.deepEqual(
    addresses.map(({ family }) => family),
    [4, 6],
  );
  assert.deepEqual(await client.addressesByHandle('dual'), addresses);
});

test('when one family cannot be had, the other is given back', async () => {
  const store = await storeWith({ four: smallPool[4] });
  const request = { ...podRequest(4, 'dual', 'node-1'), count: { 4: 1, 6: 1 } };
  await assert.rejects(new IpamClient(store).autoAssign(request), NoPoolError);
  assert.deepEqual(await audit(store), { assigned: 0, excess: 0 });
});

test('a node stops claiming at the limit and borrows from then on', async () => {
  const store = await storeWith({ p: smallPool[4] }, { maxBlocksPerHost: 1 });
  const client = new IpamClient(store);
  await client.autoAssign(podRequest(4, 'neighbour', 'node-2'));
  await client.autoAssign(podRequest(4, 'a', 'node-1', 10));
  const owned = (await store.list(blockAffinities)).filter(({ spec }) => spec.node === 'node-1');
  assert.equal(owned.length, 1);
  await audit(store);
});

test('blocks of pools that are not for a request do not count for the limit', async () => {
  const pools = { old: { cidr: '10.1.0.0/29', blockSize: 29 }, now: { cidr: '10.2.0.0/29', blockSize: 29 } };
  const store = await storeWith(pools, { maxBlocksPerHost: 1, strictAffinity: true });
  const client = new IpamClient(store);
  await client.autoAssign({ ...podRequest(4, 'a', 'node-1'), pools: { 4: ['old'] } });
  const [address] = await client.autoAssign({ ...podRequest(4, 'b', 'node-1'), pools: { 4: ['now'] } });
  assert.match(address ? formatAddress(address) : '', /^10\.2\./);
  await audit(store);
});

test('a node owns twenty blocks at most where nothing else is said', async () => {
  const store = await storeWith({ p: { cidr: '10.0.0.0/24', blockSize: 30 } }, { strictAffinity: true });
  const client = new IpamClient(store);
  assert.equal((await client.autoAssign(podRequest(4, 'a', 'node-1', 80))).length, 80);
  await assert.rejects(client.autoAssign(podRequest(4, 'b', 'node-1')), PoolExhaustedError);
  assert.equal((await client.autoAssign(podRequest(4, 'c', 'node-2'))).length, 1);
});

test('no block is claimed where that is turned off', async () => {
  const store = await storeWith({ p: smallPool[4] }, { autoAllocateBlocks: false, strictAffinity: true });
  await assert.rejects(new IpamClient(store).autoAssign(podRequest(4, 'a', 'node-1')), PoolExhaustedError);
  assert.deepEqual(await store.list(ipamBlocks), []);
});

test('pools serve the nodes, namespaces and uses that they name', async () => {
  const store = await storeWith({
    disabled: { cidr: '10.1.0.0/24', disabled: true },
    manual: { cidr: '10.2.0.0/24', assignmentMode: 'Manual' },
    rack: { cidr: '10.3.0.0/24', nodeSelector: 'rack == "1"', allowedUses: ['Workload'] },
    team: { cidr: '10.4.0.0/24', namespaceSelector: 'team == "x"', allowedUses: ['Workload'] },
    tunnel: { cidr: '10.5.0.0/24', allowedUses: ['Tunnel'] },
  });
  await store.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1', labels: { rack: '1' } },
  });
  const client = new IpamClient(store);
  let serial = 0;
  const prefixOf = async (change: object) => {
    const node = 'node' in change ? String(change.node) : 'node-1';
    const [address] = await client.autoAssign({ ...podRequest(4, `h${++serial}`, node), ...change });
    return address && formatAddress(address).split('.').slice(0, 2).join('.');
  };
  assert.equal(await prefixOf({}), '10.3');
  assert.equal(await prefixOf({ node: 'node-2', namespaceLabels: new Map([['team', 'x']]) }), '10.4');
  assert.equal(await prefixOf({ use: 'Tunnel' }), '10.5');
  assert.equal(await prefixOf({ pools: { 4: ['manual'] } }), '10.2');
  assert.equal(await prefixOf({ pools: { 4: ['10.4.0.0/24'] } }), '10.4');
  await assert.rejects(prefixOf({ pools: { 4: ['disabled'] } }), /"disabled" is disabled/);
  await assert.rejects(
    prefixOf({ pools: { 4: ['missing'] } }),
    /requested pool "missing": it does not exist/,
  );
  await assert.rejects(prefixOf({ node: 'node-2' }), (error: Error) => {
    assert.ok(error instanceof NoPoolError);
    for (const reason of [
      /"disabled" is disabled/,
      /"manual" serves only who asks for it by name/,
      /"rack" does not select the node/,
      /"team" does not select the namespace/,
      /"tunnel" is for Tunnel only/,
    ]) {
      assert.match(error.message, reason);
    }
    return true;
  });
});

test('an address outside of every pool cannot be had', async () => {
  const store = await storeWith({ p: smallPool[4] });
  const address = parseAddress('192.0.2.1');
  await assert.rejects(
    new IpamClient(store).assignAddress({ node: 'node-1', address, handleId: 'a', attributes: {} }),
    NoPoolError,
  );
});

test('a pool is asked for by its name or its range, however that is written', async () => {
  const store = await storeWith({ six: { cidr: 'fd00::/122', blockSize: 125 } });
  const client = new IpamClient(store);
  for (const [number, pool] of ['six', 'fd00::/122', 'FD00:0::/122', 'fd00::7/122'].entries()) {
    const request = podRequest(6, `c${number}`, 'node-1');
    assert.equal((await client.autoAssign({ ...request, pools: { 6: [pool] } })).length, 1);
  }
});
