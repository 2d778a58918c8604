import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDatastore } from '../datastore/index.ts';
import { IpamClient } from '../ipam/index.ts';
import type { Family } from '../net/index.ts';
import { createLogger } from '../process/index.ts';
import { type IPPoolSpec, ipPools, nodes } from '../resources/index.ts';
import type { NodeAddress } from './detect-address.ts';
import { FollowedFacts } from './followed-facts.ts';
import { ensureTunnels } from './tunnel.ts';

const link = { index: 2, name: 'eth0' } as NodeAddress['link'];
const at = (address: string): ReadonlyMap<Family, NodeAddress> =>
  new Map([[4, { address, prefixLength: 24, link }]]);
const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } };
const pool = (name: string, spec: IPPoolSpec) => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'IPPool',
  metadata: { name },
  spec,
});

async function begin(tunnels: readonly string[] = []) {
  const store = new MemoryDatastore();
  await store.create(nodes, object);
  await store.create(ipPools, pool('plain', { cidr: '10.0.0.0/16' }));
  if (tunnels.length > 0)
    await store.create(ipPools, pool('v', { cidr: '10.1.0.0/16', vxlanMode: 'Always' }));
  const told = Promise.withResolvers<string>();
  let asked = Promise.withResolvers<string>();
  const warnings: string[] = [];
  const log = Object.assign(createLogger('test', 'silent'), { warn: (text: string) => warnings.push(text) });
  const found = { now: at('172.30.0.11') };
  const followed = new FollowedFacts({
    node: 'n',
    datastore: store,
    hasTunnels: true,
    facts: {
      addresses: at('172.30.0.11'),
      missing: [],
      tunnels: tunnels.map((address) => ({ family: 4, address, mac: '66:00:00:00:00:01' })),
    },
    ensureTunnels: async () => {
      const ensured = await ensureTunnels(store, new IpamClient(store), 'n');
      asked.resolve(ensured.missing.map(({ why }) => why).join());
      asked = Promise.withResolvers();
      return ensured;
    },
    detect: async () => found.now,
    pollMs: 5,
    log,
    onOther: told.resolve,
  });
  return {
    store,
    found,
    warnings,
    nextLack: () => asked.promise,
    why: told.promise,
    [Symbol.dispose]: () => followed.stop(),
  };
}

test('a pool that wants a tunnel of the node is a reason to start anew', async () => {
  using node = await begin();
  await node.store.create(ipPools, pool('v', { cidr: '10.1.0.0/16', vxlanMode: 'CrossSubnet' }));
  assert.match(await node.why, /pools want other tunnels/);
});

test('a pool that wants a tunnel and gives no address for one is none until it gives one, and is named', async () => {
  using node = await begin();
  const lack = node.nextLack();
  const spec: IPPoolSpec = { cidr: '10.1.0.0/16', vxlanMode: 'Always', allowedUses: ['Workload'] };
  await node.store.create(ipPools, pool('v', spec));
  assert.match(await lack, /"v" is for Workload only/);
  const again = node.nextLack();
  await node.store.mergePatch(ipPools, { name: 'v' }, { spec: { natOutgoing: true } });
  await again;
  assert.deepEqual(node.warnings, [
    'This node goes on without its IPv4 tunnel: Cannot find an IPv4 pool for a tunnel: "v" is for Workload only; pods of VXLAN pools reach no other node',
  ]);
  await node.store.mergePatch(ipPools, { name: 'v' }, { spec: { allowedUses: ['Tunnel'] } });
  assert.match(await node.why, /pools want other tunnels/);
});

test('a tunnel whose pool uses VXLAN no more is one', async () => {
  using node = await begin(['10.1.0.0']);
  await node.store.mergePatch(ipPools, { name: 'v' }, { spec: { vxlanMode: 'Never' } });
  assert.match(await node.why, /pools want other tunnels/);
});

test('a node that was registered again is one, and its labels and health are none', async () => {
  using node = await begin();
  await node.store.mergePatch(nodes, { name: 'n' }, { metadata: { labels: { rack: '1' } } });
  await node.store.delete(nodes, { name: 'n' });
  await node.store.create(nodes, object);
  assert.match(await node.why, /registered again/);
});

test('another address is one, and is named', async () => {
  using node = await begin();
  node.found.now = at('172.30.0.12');
  assert.equal(
    await node.why,
    'the node is known by 172.30.0.11/24 on eth0 (2), and should be by 172.30.0.12/24 on eth0 (2)',
  );
});
