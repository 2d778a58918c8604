// Objects that were written past every validation, before address management: what is sound serves on, and they are named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { CalicoIpam } from '../../src/cni/addresses/calico-ipam.ts';
import type { AttachmentRequest } from '../../src/cni/request.ts';
import { MisfitError, SoundDatastore } from '../../src/datastore/index.ts';
import {
  affinityLabels,
  affinityName,
  allocationsOf,
  auditIpam,
  FollowedSources,
  GarbageCollector,
  IpamClient,
  PoolExhaustedError,
  readSnapshot,
  reservationsFrom,
  usageOf,
} from '../../src/ipam/index.ts';
import { cidrContains, formatAddress, formatCidr, parseAddress, parseCidr } from '../../src/net/index.ts';
import {
  blockAffinities,
  type IPPoolSpec,
  ipamBlocks,
  ipamConfigurations,
  ipamHandles,
  ipPools,
  ipReservations,
  nodes,
  pods,
  type Resource,
} from '../../src/resources/index.ts';
import { PlantedStore } from '../faults/planted-store.ts';
import { podRequest } from './cluster.ts';

const apiVersion = 'projectcalico.org/v3';

/** A store with a sound pool in each family, and what its readers say of the others. */
async function plantedStore() {
  const store = new PlantedStore();
  const said: string[] = [];
  const pools: Record<string, IPPoolSpec> = {
    'z-sound-4': { cidr: '10.99.0.0/28', blockSize: 28 },
    'z-sound-6': { cidr: 'fd99::/124', blockSize: 124 },
  };
  for (const [name, spec] of Object.entries(pools)) {
    await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name }, spec });
  }
  return { store, said, sound: new SoundDatastore(store, (sentence) => said.push(sentence)) };
}

for (const [cidr, blockSize] of [
  ['0.0.0.0/0', 0],
  ['0.0.0.0/0', 8],
  ['10.0.0.0/8', 19],
  ['::/0', 0],
  ['::/0', 64],
  ['fd00::/64', 115],
] as const) {
  test(`a pool ${cidr} with blocks of /${blockSize} is named, and keeps no other pool from giving`, async () => {
    const { store, said, sound } = await plantedStore();
    const family = cidr.includes(':') ? 6 : 4;
    const metadata = { name: 'huge' };
    const spec = { cidr, blockSize };
    store.plant({ kind: ipPools, object: { apiVersion, kind: 'IPPool', metadata, spec } as Resource });
    const [address] = await new IpamClient(sound).autoAssign(podRequest(family, 'a', 'node-1'));
    assert.match(formatAddress(address ?? assert.fail()), /^(10\.99\.0\.|fd99::)/);
    assert.match(said.join(), /IPPool "huge" .*spec\.blockSize must be from \d+ to (32|128), not/);
  });
}

test('a block of a huge range is named, and stands in the way of nobody', async () => {
  const { store, said, sound } = await plantedStore();
  const ranges = [
    ['0.0.0.0/0', '0-0-0-0-0'],
    ['::/0', '---0'],
  ] as const;
  for (const [cidr, name] of ranges) {
    const block = {
      cidr,
      affinity: 'host:gone',
      strictAffinity: false,
      allocations: [null],
      unallocated: [0],
    };
    const spec = { ...block, attributes: [] };
    store.plant({
      kind: ipamBlocks,
      object: { apiVersion, kind: 'IPAMBlock', metadata: { name }, spec } as Resource,
    });
  }
  const client = new IpamClient(sound);
  for (const family of [4, 6] as const) {
    const [address] = await client.autoAssign(podRequest(family, `a${family}`, 'node-1'));
    assert.match(formatAddress(address ?? assert.fail()), /^(10\.99\.0\.|fd99::)/);
  }
  const snapshot = await readSnapshot(sound);
  assert.equal(auditIpam(snapshot).allocations.length, 2);
  const figures = usageOf(snapshot.pools, snapshot.blocks).map(({ blocks, inUse }) => [blocks.length, inUse]);
  assert.deepEqual(figures, [
    [1, 1n],
    [1, 1n],
  ]);
  for (const [, name] of ranges) {
    assert.equal(said.filter((sentence) => sentence.startsWith(`IPAMBlock "${name}" `)).length, 1);
  }
});

for (const [how, reservedCIDRs] of [
  ['one line that is no text', ['10.99.0.0/29', null, 'fd99::/125', 7]],
  ['a text for its list', '10.99.0.0/28'],
] as const) {
  test(`a reservation with ${how} keeps its other lines in force`, async () => {
    const { store, said, sound } = await plantedStore();
    const spec = { reservedCIDRs };
    const object = { apiVersion, kind: 'IPReservation', metadata: { name: 'r', labels: null }, spec };
    store.plant({ kind: ipReservations, object: object as unknown as Resource });
    const view = new FollowedSources(sound, 'node-1');
    try {
      for (const client of [new IpamClient(sound), new IpamClient(sound, { view })]) {
        const draw = () => client.autoAssign(podRequest(4, 'a', 'node-1', 8));
        if (typeof reservedCIDRs === 'string') await assert.rejects(draw, PoolExhaustedError);
        else assert.ok((await draw()).every(({ value }) => value % 16n >= 8n));
        await client.releaseByHandle('a');
      }
    } finally {
      view.stop();
    }
    const sentences = said.filter((sentence) => sentence.includes('IPReservation "r"'));
    assert.equal(sentences.length, 1);
    assert.match(sentences.join(), /; what else it reserves stays reserved$/);
  });
}

/** The spec of what readers make of an IPAMConfiguration. */
async function readConfiguration(spec: unknown) {
  const { store, sound } = await plantedStore();
  const object = { apiVersion, kind: 'IPAMConfiguration', metadata: { name: 'default' }, spec };
  store.plant({ kind: ipamConfigurations, object: object as Resource });
  const view = new FollowedSources(sound, 'node-1');
  try {
    // What was planted is told of a turn after the rest.
    await turn();
    const followed = await view.configuration();
    const listed = (await sound.list(ipamConfigurations)).map((one) => one.spec);
    assert.deepEqual(listed, [followed], 'the same to whoever reads');
    return followed;
  } finally {
    view.stop();
  }
}

test('settings of address management that cannot be read count as the strictest, and the others as they are', async () => {
  const strict = { strictAffinity: true, autoAllocateBlocks: false };
  const limits = { maxBlocksPerHost: 1, ipCooldownSeconds: 1200 };
  const all = { strictAffinity: true, autoAllocateBlocks: true, maxBlocksPerHost: 3, ipCooldownSeconds: 60 };
  for (const [spec, expected] of [
    [
      { ...all, strictAffinity: 'no', autoAllocateBlocks: false },
      { ...all, ...strict },
    ],
    [
      { ...all, strictAffinity: false, maxBlocksPerHost: {} },
      { ...all, strictAffinity: false, maxBlocksPerHost: 1 },
    ],
    [
      { ...all, ipCooldownSeconds: '60' },
      { ...all, ipCooldownSeconds: 1200 },
    ],
    // What is not said is said by nobody: it counts as the API server would have it.
    [{ maxBlocksPerHost: [] }, { strictAffinity: false, autoAllocateBlocks: true, maxBlocksPerHost: 1 }],
    // Neither claim nor borrow is no configuration.
    [{ strictAffinity: false, autoAllocateBlocks: 1 }, strict],
    [null, { ...strict, ...limits }],
    ['strictAffinity', { ...strict, ...limits }],
  ]) {
    assert.deepEqual(await readConfiguration(spec), expected, JSON.stringify(spec));
  }
});

test('while the configuration cannot be read, a node lives on its blocks and freed addresses rest', async () => {
  const { store, said, sound } = await plantedStore();
  const early = new IpamClient(sound);
  const [first] = await early.autoAssign(podRequest(4, 'early', 'node-1'));
  const spec = { strictAffinity: 'false', autoAllocateBlocks: true, ipCooldownSeconds: '60' };
  const object = { apiVersion, kind: 'IPAMConfiguration', metadata: { name: 'default' }, spec };
  store.plant({ kind: ipamConfigurations, object: object as unknown as Resource });
  const view = new FollowedSources(sound, 'node-1');
  try {
    for (const client of [new IpamClient(sound), new IpamClient(sound, { view })]) {
      assert.equal((await client.autoAssign(podRequest(4, 'late', 'node-1', 2))).length, 2);
    }
    const clients = [new IpamClient(sound), new IpamClient(sound, { view })];
    for (const [n, client] of clients.entries()) {
      await client.releaseByHandle(n === 0 ? 'early' : 'late');
      const borrowing = client.autoAssign(podRequest(4, 'other', 'node-2'));
      await assert.rejects(borrowing, PoolExhaustedError);
    }
    const rest = await new IpamClient(sound).autoAssign(podRequest(4, 'rest', 'node-1', 11));
    assert.ok(
      rest.every(({ value }) => value !== first?.value),
      'what was freed just now rests',
    );
    await assert.rejects(
      new IpamClient(sound).autoAssign(podRequest(4, 'more', 'node-1')),
      PoolExhaustedError,
    );
  } finally {
    view.stop();
  }
  assert.deepEqual(said, [
    'IPAMConfiguration "default" is not what it should be: spec.strictAffinity must be true or false; ' +
      'strictAffinity counts as true, ipCooldownSeconds counts as 1200, what else it says holds',
  ]);
});

/** A handle with an address in each family, whose IPv4 block cannot be read until `mend` is called. */
async function storeWithWrongBlock() {
  const { store, sound, said } = await plantedStore();
  for (const name of ['node-1', 'node-2']) {
    await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  }
  const client = new IpamClient(sound, { report: (sentence) => said.push(sentence) });
  const request = { ...podRequest(4, 'net.c1', 'node-1'), count: { 4: 1, 6: 1 } };
  const held = await client.autoAssign(request);
  const [block] = (await store.list(ipamBlocks)).filter(({ spec }) => !spec.cidr.includes(':'));
  assert.ok(block);
  // Behind the client's back, which remembers the block as it was.
  const wrong = { ...block.spec, unallocated: [...block.spec.allocations.keys()] };
  const written = await store.update(ipamBlocks, { ...block, spec: wrong });
  const mend = () => store.update(ipamBlocks, { ...written, spec: block.spec });
  return { store, sound, said, client, held, mend };
}

test('a release frees what is in sound blocks, and what is in another when that can be read again', async () => {
  const { store, sound, said, client, held, mend } = await storeWithWrongBlock();
  const [four, six] = held.map(formatAddress);
  assert.deepEqual((await client.releaseByHandle('net.c1')).map(formatAddress), [six]);
  assert.deepEqual(await client.releaseByHandle('net.c1'), [], 'and succeeds again');
  assert.match(
    said.at(-1) ?? '',
    /^Cannot release all that "net\.c1" holds: 1 of block 10\.99\.0\.0\/28 cannot be read;/,
  );
  const collector = new GarbageCollector(sound, { graceMs: 0 });
  assert.deepEqual((await collector.sweep()).failures, []);
  assert.equal((await store.list(ipamHandles)).length, 1, 'what the handle counts is not forgotten');
  await mend();
  const [allocation] = (await readSnapshot(sound)).blocks.flatMap(allocationsOf);
  assert.equal(allocation?.address, four);
  assert.deepEqual((await collector.sweep()).failures, []);
  assert.deepEqual((await readSnapshot(sound)).blocks.flatMap(allocationsOf), []);
  assert.deepEqual(await store.list(ipamHandles), []);
});

test('what a handle may hold in a block that cannot be read is told apart from what it does not hold', async () => {
  const { client, held, mend } = await storeWithWrongBlock();
  const { addresses, unreadable } = await client.holdingsOf('net.c1');
  assert.deepEqual([addresses, unreadable.map(formatCidr)], [held.slice(1), ['10.99.0.0/28']]);
  await assert.rejects(client.addressesByHandle('net.c1'), MisfitError);
  await mend();
  assert.deepEqual(await client.addressesByHandle('net.c1'), held);
});

test('CHECK of a container whose block cannot be read finds nothing wrong with its addresses, and what is lost it names', async () => {
  const { client } = await storeWithWrongBlock();
  const plugin = new CalicoIpam(client, 'node-1');
  const check = (...addresses: string[]) =>
    plugin.check({
      containerId: 'c1',
      configuration: { name: 'net', previousResult: { ips: addresses.map((address) => ({ address })) } },
    } as unknown as AttachmentRequest);
  await check('10.99.0.3/32');
  await assert.rejects(check('10.99.0.3/32', '10.99.0.16/32'), /does not hold 10\.99\.0\.16 any more/);
});

test('no address is said to be in use unassigned where a block that cannot be read may assign it', async () => {
  const { store, sound, held, mend } = await storeWithWrongBlock();
  const podIPs = [...held.map((address) => ({ ip: formatAddress(address) })), { ip: '10.98.0.1' }];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: 'net.c1' } };
  store.plant({ kind: pods, object: { ...pod, spec: { containers: [] }, status: { podIPs } } as Resource });
  const unassigned = async () =>
    auditIpam(await readSnapshot(sound)).unassignedAddresses.map(({ address }) => address);
  assert.deepEqual(await unassigned(), []);
  await mend();
  assert.deepEqual(await unassigned(), []);
  const spec = { cidr: '10.98.0.0/28', blockSize: 28 };
  await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: 'a' }, spec });
  assert.deepEqual(await unassigned(), ['10.98.0.1']);
});

test('a block that cannot be read any more gives way to another', async () => {
  const { store, sound, client } = await storeWithWrongBlock();
  const spec = { cidr: '10.98.0.0/28', blockSize: 28 };
  await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: 'a' }, spec });
  const view = new FollowedSources(sound, 'node-1');
  try {
    const followed = new IpamClient(sound, { view });
    for (const [n, each] of [client, followed, followed].entries()) {
      const [address] = await each.autoAssign(podRequest(4, `other-${n}`, 'node-1'));
      assert.match(formatAddress(address ?? assert.fail()), /^10\.98\.0\./);
    }
  } finally {
    view.stop();
  }
});

for (const cidr of ['0.0.0.0/0', '10.0.0.0/8', '10.96.0.0/19', '::/0', 'fd99::/115']) {
  test(`a claim on ${cidr}, which is no block, is named, and nobody counts it as one`, async () => {
    const { store, sound, said } = await plantedStore();
    await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
    const owner = { type: 'host', name: 'node-1' } as const;
    const metadata = { name: 'huge', labels: affinityLabels(owner, parseCidr(cidr)) };
    const spec = { state: 'confirmed', node: owner.name, type: owner.type, cidr, deleted: false };
    const object = { apiVersion, kind: 'BlockAffinity', metadata, spec } as Resource;
    store.plant({ kind: blockAffinities, object });
    const client = new IpamClient(sound);
    assert.deepEqual(await client.blocksOf(owner), []);
    await client.releaseHostAffinities(owner.name, { mustBeEmpty: false });
    const audit = auditIpam(await readSnapshot(sound));
    assert.deepEqual(audit.halfClaimedBlocks, []);
    await store.delete(nodes, { name: owner.name });
    assert.deepEqual(auditIpam(await readSnapshot(sound)).orphanedBlocks, []);
    assert.equal((await client.autoAssign(podRequest(4, 'a', owner.name))).length, 1);
    assert.match(
      said.join(),
      /^BlockAffinity "huge" .* spec\.cidr must be a block, which is a \/(20|116) or smaller/,
    );
  });
}

test('where a claim cannot be read, its node claims another block', async () => {
  const { store, sound } = await plantedStore();
  const spec = { cidr: '10.98.0.0/27', blockSize: 28 };
  await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: 'a' }, spec });
  const name = affinityName('node-1', parseCidr('10.98.0.0/28'));
  const wrong = { apiVersion, kind: 'BlockAffinity', metadata: { name }, spec: null } as unknown as Resource;
  store.plant({ kind: blockAffinities, object: wrong });
  const client = new IpamClient(sound);
  for (const [pod, count] of [
    ['a', 16],
    ['b', 8],
  ] as const) {
    const addresses = await client.autoAssign(podRequest(4, pod, 'node-1', count));
    const place = pod === 'a' ? '10.98.0.16/28' : '10.99.0.0/28';
    assert.ok(addresses.every((address) => cidrContains(parseCidr(place), address)));
  }
});

for (const [how, name, spec] of [
  ['by its name', '10-99-0-0-29', null],
  ['by its own word', 'restored', { cidr: '10.99.0.8/30' }],
] as const) {
  test(`nobody claims a block where one of another size lies that cannot be read, ${how}`, async () => {
    const { store, sound } = await plantedStore();
    const object = { apiVersion, kind: 'IPAMBlock', metadata: { name }, spec } as Resource;
    store.plant({ kind: ipamBlocks, object });
    const client = new IpamClient(sound);
    const address = parseAddress('10.99.0.15');
    const named = client.assignAddress({ node: 'node-1', handleId: 'a', attributes: {}, address });
    await assert.rejects(
      named,
      /^NoPoolError: Cannot claim block .*: IPAMBlock ".*" stands there and cannot be read$/,
    );
    await assert.rejects(client.autoAssign(podRequest(4, 'a', 'node-1')), PoolExhaustedError);
    assert.deepEqual(
      (await store.list(ipamHandles)).map(({ spec }) => spec),
      [],
    );
    store.uproot({ kind: ipamBlocks, object });
    assert.equal((await client.autoAssign(podRequest(4, 'a', 'node-1'))).length, 1);
  });
}

test('addresses of a block that cannot be read are neither free nor in use, and the audit names it', async () => {
  const { sound } = await storeWithWrongBlock();
  const { pools, blocks, unreadable } = await readSnapshot(sound);
  assert.ok(unreadable);
  const figuresWith = (...reserved: string[]) => {
    const spec = { reservedCIDRs: reserved };
    const reservations = reservationsFrom([
      { apiVersion, kind: 'IPReservation', metadata: { name: 'r' }, spec },
    ]);
    const usages = usageOf(pools, blocks, { reservations, unreadable: unreadable.blocks });
    return usages.map(({ inUse, reserved, unknown, available }) => [inUse, reserved, unknown, available]);
  };
  assert.deepEqual(figuresWith(), [
    [0n, 0n, 16n, 0n],
    [1n, 0n, 0n, 15n],
  ]);
  assert.deepEqual(figuresWith('10.99.0.0/30', 'fd99::/126'), [
    [0n, 4n, 16n, 0n],
    [1n, 4n, 0n, 12n],
  ]);
  assert.deepEqual(auditIpam(await readSnapshot(sound)).unreadableBlocks, [
    { name: '10-99-0-0-28', fault: 'spec.unallocated must be of addresses that are free' },
  ]);
});

test('a node whose labels cannot be read gets addresses of pools that ask for none', async () => {
  const selecting = { cidr: '10.98.0.0/28', blockSize: 28, nodeSelector: '!has(rack)' };
  for (const reader of [{}, { node: 'node-1' }]) {
    const store = new PlantedStore();
    const sound = new SoundDatastore(store, () => {}, reader);
    await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: 'a' }, spec: selecting });
    const metadata = { name: 'node-1', labels: { rack: 5 } };
    const object = { apiVersion: 'v1', kind: 'Node', metadata } as unknown as Resource;
    store.plant({ kind: nodes, object });
    const view = new FollowedSources(sound, 'node-1');
    try {
      const clients = [new IpamClient(sound), new IpamClient(sound, { view })];
      for (const client of clients) {
        const drawing = client.autoAssign(podRequest(4, 'a', 'node-1'));
        await assert.rejects(
          drawing,
          /^NoPoolError: .*"a" selects nodes \(!has\(rack\)\), and the node's labels cannot be read$/,
        );
      }
      const spec = { cidr: '10.99.0.0/28', blockSize: 28, nodeSelector: 'all()' };
      await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: 'z' }, spec });
      for (const [n, client] of clients.entries()) {
        const [address] = await client.autoAssign(podRequest(4, `b-${n}`, 'node-1'));
        assert.match(formatAddress(address ?? assert.fail()), /^10\.99\./);
      }
      const named = { ...podRequest(4, 'c', 'node-1'), pools: { 4: ['a'] } };
      assert.equal((await new IpamClient(sound).autoAssign(named)).length, 1);
      store.plant({ kind: nodes, object: { ...object, metadata: { name: 'node-1' } } });
      await store.mergePatch(ipPools, { name: 'z' }, { spec: { disabled: true } });
      for (const [n, client] of clients.entries()) {
        const [address] = await client.autoAssign(podRequest(4, `d-${n}`, 'node-1'));
        assert.match(formatAddress(address ?? assert.fail()), /^10\.98\./);
      }
    } finally {
      view.stop();
    }
  }
});

test('labels that can be read count, whatever else the node says', async () => {
  const { store, sound } = await plantedStore();
  const spec = { cidr: '10.98.0.0/28', blockSize: 28, nodeSelector: 'rack == "a"' };
  await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: 'a' }, spec });
  const metadata = { name: 'node-1', labels: { rack: 'a' }, annotations: 'none' };
  store.plant({ kind: nodes, object: { apiVersion: 'v1', kind: 'Node', metadata } as unknown as Resource });
  const [address] = await new IpamClient(sound).autoAssign(podRequest(4, 'a', 'node-1'));
  assert.match(formatAddress(address ?? assert.fail()), /^10\.98\./);
});

test('the claim of a removed node on a block that cannot be read waits until that can be read', async () => {
  const { store, sound, mend } = await storeWithWrongBlock();
  await store.delete(nodes, { name: 'node-1' });
  const collector = new GarbageCollector(sound, { graceMs: 0 });
  assert.deepEqual((await collector.sweep()).failures, []);
  const claims = (await store.list(blockAffinities)).filter(({ spec }) => !spec.cidr.includes(':'));
  assert.deepEqual(
    claims.map(({ spec }) => spec.state),
    ['confirmed'],
  );
  await mend();
  for (let sweep = 0; sweep < 2; sweep++) assert.deepEqual((await collector.sweep()).failures, []);
  assert.deepEqual(await store.list(blockAffinities), []);
  assert.deepEqual(await store.list(ipamBlocks), []);
});
