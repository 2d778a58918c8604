import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDatastore, SoundDatastore } from '../datastore/index.ts';
import { GarbageCollector, IpamClient } from '../ipam/index.ts';
import { formatAddress, parseAddress } from '../net/index.ts';
import {
  type IPPoolSpec,
  ipamBlocks,
  ipamHandles,
  ipPools,
  nodes,
  type Resource,
  type ResourceKind,
} from '../resources/index.ts';
import { ensureTunnels } from './tunnel.ts';

const apiVersion = 'projectcalico.org/v3';

async function cluster(pools: Readonly<Record<string, IPPoolSpec>>) {
  const store = new MemoryDatastore();
  const metadata = { name: 'n', labels: { rack: '1' } };
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata });
  for (const [name, spec] of Object.entries(pools)) {
    await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name }, spec });
  }
  const change = (name: string, spec: Partial<IPPoolSpec>) =>
    store.mergePatch(ipPools, { name }, { spec: { ...spec } });
  let whyMissing: string[] = [];
  const tunnels = async () => {
    // Every time as an agent that has just started.
    const sound = new SoundDatastore(store, () => {});
    const found = await ensureTunnels(sound, new IpamClient(sound), 'n');
    whyMissing = found.missing.map(({ why }) => why);
    return found.tunnels.map(({ address }) => address);
  };
  return { store, change, tunnels, whyMissing: () => whyMissing };
}

const vxlan = { vxlanMode: 'Always' } as const;

test('a node keeps its tunnel addresses over restarts, one of each family', async () => {
  const { tunnels } = await cluster({
    four: { cidr: '10.1.0.0/24', ...vxlan },
    six: { cidr: 'fd01::/112', ...vxlan },
    plain: { cidr: '10.2.0.0/24' },
  });
  const first = await tunnels();
  assert.match(first.join(), /^10\.1\.0\.\d+,fd01::/);
  assert.deepEqual(await tunnels(), first);
});

test('an address of a pool that uses VXLAN no more is given back', async () => {
  const { store, change, tunnels } = await cluster({
    a: { cidr: '10.1.0.0/24', ...vxlan },
    b: { cidr: '10.2.0.0/24', ...vxlan },
  });
  assert.match((await tunnels()).join(), /^10\.1\./);
  await change('a', { vxlanMode: 'Never' });
  assert.match((await tunnels()).join(), /^10\.2\./);
  assert.equal((await store.list(ipamHandles)).length, 1);
  await change('b', { vxlanMode: 'Never' });
  assert.deepEqual(await tunnels(), []);
  assert.deepEqual(await store.list(ipamHandles), []);
});

test('an address of a pool that was closed is kept, and no new one is drawn from it', async () => {
  const { store, change, tunnels } = await cluster({ a: { cidr: '10.1.0.0/24', ...vxlan } });
  const first = await tunnels();
  await change('a', { disabled: true });
  assert.deepEqual(await tunnels(), first);
  await new IpamClient(store).releaseByHandle('vxlan-tunnel-addr-n');
  assert.deepEqual(await tunnels(), []);
});

test('a pool gives tunnels to the nodes that it selects alone', async () => {
  const { tunnels } = await cluster({
    other: { cidr: '10.1.0.0/24', nodeSelector: 'rack == "2"', ...vxlan },
    own: { cidr: '10.2.0.0/24', nodeSelector: 'rack == "1"', ...vxlan },
  });
  assert.match((await tunnels()).join(), /^10\.2\./);
});

test('a pool that is not for tunnels gives none until it is, and the other family has its own meanwhile', async () => {
  const { change, tunnels, whyMissing } = await cluster({
    a: { cidr: '10.1.0.0/24', allowedUses: ['Workload'], ...vxlan },
    six: { cidr: 'fd01::/112', ...vxlan },
  });
  assert.match((await tunnels()).join(), /^fd01::/);
  assert.deepEqual(whyMissing(), ['Cannot find an IPv4 pool for a tunnel: "a" is for Workload only']);
  await change('a', { allowedUses: ['Workload', 'Tunnel'] });
  assert.match((await tunnels()).join(), /^10\.1\..*,fd01::/);
  assert.deepEqual(whyMissing(), []);
});

test('a pool that is full gives a tunnel when an address is free again', async () => {
  const { store, tunnels, whyMissing } = await cluster({
    a: { cidr: '10.1.0.0/32', blockSize: 32, ...vxlan },
  });
  const other = new IpamClient(store);
  await other.assignAddress({ node: 'm', address: parseAddress('10.1.0.0'), handleId: 'm', attributes: {} });
  assert.deepEqual(await tunnels(), []);
  assert.match(
    whyMissing().join(),
    /^Cannot assign 1 IPv4 address to "vxlan-tunnel-addr-n" on node "n": no block has 1 free/,
  );
  await other.releaseByHandle('m');
  assert.deepEqual(await tunnels(), ['10.1.0.0']);
});

test('the MAC address that peers know of the node stays, and one that is none is made anew', async () => {
  const { store } = await cluster({ a: { cidr: '10.1.0.0/24', ...vxlan } });
  const macKnownAs = async (text: string | null) => {
    const annotations = { 'projectcalico.org/VXLANTunnelMACAddr': text };
    await store.mergePatch(nodes, { name: 'n' }, { metadata: { annotations } });
    const { tunnels } = await ensureTunnels(store, new IpamClient(store), 'n');
    return tunnels.map(({ mac }) => mac).join();
  };
  const own = await macKnownAs(null);
  assert.match(own, /^66:/);
  assert.equal(await macKnownAs('66:AA:bb:cc:dd:ee'), '66:aa:bb:cc:dd:ee');
  assert.equal(await macKnownAs('none'), own);
});

test('pools that no validation would let in are passed over', async () => {
  const { store, tunnels } = await cluster({ good: { cidr: '10.1.0.0/24', ...vxlan } });
  const hostile = [undefined, 'none', { cidr: 7, ...vxlan }, { cidr: '10.2.0.0/24', vxlanMode: {} }].map(
    (spec, index) => ({ apiVersion, kind: 'IPPool', metadata: { name: `a-${index}` }, spec }),
  );
  const list = store.list.bind(store);
  store.list = async <T extends Resource>(kind: ResourceKind<T>) => {
    const planted = kind.kind === 'IPPool' ? hostile : [];
    return [...(planted as unknown as T[]), ...(await list(kind))];
  };
  assert.match((await tunnels()).join(), /^10\.1\.0\.\d+$/);
});

/** Two pools with VXLAN, and a node whose tunnel lies in a block that cannot be read until `mend` is called. */
async function withWrongBlock({ isAnnounced }: { isAnnounced: boolean }) {
  const { store, tunnels } = await cluster({
    a: { cidr: '10.1.0.0/28', blockSize: 28, ...vxlan },
    b: { cidr: '10.2.0.0/28', blockSize: 28, ...vxlan },
  });
  const [first = ''] = await tunnels();
  const annotations = { 'projectcalico.org/IPv4VXLANTunnelAddr': first };
  if (isAnnounced) await store.mergePatch(nodes, { name: 'n' }, { metadata: { annotations } });
  const [block] = await store.list(ipamBlocks);
  assert.ok(block);
  const unallocated = [...block.spec.allocations.keys()];
  await store.update(ipamBlocks, { ...block, spec: { ...block.spec, unallocated } });
  const mend = () => store.mergePatch(ipamBlocks, { name: block.metadata.name }, { spec: block.spec });
  const drawn = async () => {
    const sound = new SoundDatastore(store, () => {});
    const request = {
      node: 'n',
      handleId: 'pod',
      attributes: {},
      count: { 4: 15 },
      use: 'Workload',
    } as const;
    return (await new IpamClient(sound).autoAssign(request)).map(formatAddress);
  };
  return { store, tunnels, first, mend, drawn };
}

test('a node keeps the tunnel address that its peers know while its block cannot be read, and nobody else gets it', async () => {
  const { tunnels, first, mend, drawn } = await withWrongBlock({ isAnnounced: true });
  assert.deepEqual(await tunnels(), [first]);
  assert.equal((await drawn()).includes(first), false);
  await mend();
  assert.deepEqual(await tunnels(), [first]);
});

test('a node whose tunnel address nobody knows draws another, and the first is collected when it can be read', async () => {
  const { store, tunnels, first, mend, drawn } = await withWrongBlock({ isAnnounced: false });
  const [second = ''] = await tunnels();
  assert.match(second, /^10\.2\./);
  assert.deepEqual(await tunnels(), [second]);
  const annotations = { 'projectcalico.org/IPv4VXLANTunnelAddr': second };
  await store.mergePatch(nodes, { name: 'n' }, { metadata: { annotations } });
  const others = await drawn();
  assert.equal(others.includes(first) || others.includes(second), false);
  await mend();
  assert.deepEqual(await tunnels(), [second], 'and keeps that');
  await new GarbageCollector(store, { graceMs: 0 }).sweep();
  assert.deepEqual(
    (await new IpamClient(store).addressesByHandle('vxlan-tunnel-addr-n')).map(formatAddress),
    [second],
  );
});
