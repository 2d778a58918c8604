// What must hold when all is quiet and the garbage collector has been through: blocks assign exactly what pods hold, handles
// count exactly that, claims and blocks agree, and every other address can be had.
import assert from 'node:assert/strict';
import type { Datastore } from '../../src/datastore/index.ts';
import { auditIpam, IpamClient, readSnapshot } from '../../src/ipam/index.ts';
import { type Cidr, cidrSize, type Family, formatAddress, parseCidr } from '../../src/net/index.ts';
import type { HeldAddresses } from './ledger.ts';

/** @throws AssertionError */
export async function auditStore(store: Datastore, held: HeldAddresses): Promise<void> {
  const snapshot = await readSnapshot(store);
  const { allocations, leakedAddresses, wrongHandles, halfClaimedBlocks, orphanedBlocks, ...rest } =
    auditIpam(snapshot);
  const owned = held.entries().map(([address, pod]) => `${address} torture.${pod}`);
  const assigned = allocations.map(({ address, handle }) => `${address} ${handle}`);
  assert.deepEqual(assigned.toSorted(), owned.toSorted(), 'blocks do not assign what pods hold');
  assert.deepEqual({ leakedAddresses, wrongHandles, halfClaimedBlocks, orphanedBlocks }, nothing);
  assert.deepEqual([rest.unassignedAddresses, rest.sharedAddresses], [[], []]);
  const counted = snapshot.handles.flatMap(({ spec }) =>
    Object.values(spec.block).flatMap((count) => new Array<string>(count).fill(spec.handleID)),
  );
  assert.deepEqual(
    counted.toSorted(),
    allocations.map(({ handle }) => handle).toSorted(),
    'handles do not count what blocks assign',
  );
  for (const { spec } of snapshot.blocks) {
    const inQueue = new Set(spec.unallocated);
    assert.equal(inQueue.size, spec.unallocated.length, `${spec.cidr} queues an address twice`);
    for (const [ordinal, index] of spec.allocations.entries()) {
      assert.equal(inQueue.has(ordinal), index === null, `${spec.cidr} is wrong about ordinal ${ordinal}`);
    }
  }
  const ownedBlocks = snapshot.blocks.flatMap(({ spec }) =>
    spec.affinity ? [`${spec.affinity} ${spec.cidr}`] : [],
  );
  const claims = snapshot.affinities.map(({ spec }) => `host:${spec.node} ${spec.cidr}`);
  assert.deepEqual(claims.toSorted(), ownedBlocks.toSorted(), 'claims and blocks do not agree');
}

const nothing = { leakedAddresses: [], wrongHandles: [], halfClaimedBlocks: [], orphanedBlocks: [] };

/** Draws all that is left, for a node, and demands that it is everything that nobody holds. */
export async function drawTheRest(options: {
  readonly store: Datastore;
  readonly held: HeldAddresses;
  readonly pools: readonly Cidr[];
  readonly node: string;
  readonly now: () => Date;
}): Promise<void> {
  const { store, held, pools, node, now } = options;
  const owned = new Set(held.entries().map(([address]) => address));
  for (const family of [4, 6] as const) {
    const capacity = pools
      .filter((pool) => pool.family === family)
      .reduce((sum, pool) => sum + Number(cidrSize(pool)), 0);
    const free = capacity - [...owned].filter((address) => address.includes(':') === (family === 6)).length;
    const drawn = await draw(new IpamClient(store, { now }), node, family, free);
    assert.equal(new Set(drawn).size, free);
    for (const address of drawn) assert.ok(!owned.has(address), `${address} was given twice`);
  }
}

async function draw(client: IpamClient, node: string, family: Family, count: number): Promise<string[]> {
  const request = { node, handleId: `rest${family}`, attributes: { note: 'rest' }, use: 'Workload' as const };
  const addresses = await client.autoAssign({ ...request, count: { [family]: count } });
  return addresses.map(formatAddress);
}

/** "10.0.0.0/27" */
export function rangesOf(pools: readonly { readonly cidr: string }[]): Cidr[] {
  return pools.map(({ cidr }) => parseCidr(cidr));
}
