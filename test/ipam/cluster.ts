// Pools, nodes and the audit that IPAM's tests share: a store in memory with something to draw from.
import assert from 'node:assert/strict';
import { MemoryDatastore } from '../../src/datastore/index.ts';
import type { AutoAssignRequest } from '../../src/ipam/index.ts';
import type { Family } from '../../src/net/index.ts';
import {
  blockAffinities,
  type IPAMConfiguration,
  type IPPoolSpec,
  ipamBlocks,
  ipamConfigurations,
  ipamHandles,
  ipPools,
} from '../../src/resources/index.ts';

const apiVersion = 'projectcalico.org/v3';

/** A pool of eight blocks of eight addresses, in either family. */
export const smallPool: Record<Family, IPPoolSpec> = {
  4: { cidr: '10.0.0.0/26', blockSize: 29 },
  6: { cidr: 'fd00::/122', blockSize: 125 },
};

export async function storeWith(
  pools: Record<string, IPPoolSpec>,
  configuration?: Partial<IPAMConfiguration['spec']>,
): Promise<MemoryDatastore> {
  const store = new MemoryDatastore();
  for (const [name, spec] of Object.entries(pools)) {
    await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name }, spec });
  }
  if (configuration) {
    await store.create(ipamConfigurations, {
      apiVersion,
      kind: 'IPAMConfiguration',
      metadata: { name: 'default' },
      spec: { strictAffinity: false, autoAllocateBlocks: true, ...configuration },
    });
  }
  return store;
}

/** Asks for `count` addresses of one family under a handle, for a pod. */
export function podRequest(family: Family, handleId: string, node: string, count = 1): AutoAssignRequest {
  return { node, handleId, count: { [family]: count }, use: 'Workload', attributes: { pod: handleId, node } };
}

/**
 * Reads everything that is stored and checks what must hold at any moment, crashes included: blocks are consistent, every
 * assigned address is counted by its handle, and no block is confirmed by two nodes. Returns how many addresses handles count too many.
 */
export async function audit(store: MemoryDatastore): Promise<{ assigned: number; excess: number }> {
  store.interference = {};
  const counted = new Map<string, number>();
  for (const { spec } of await store.list(ipamHandles)) {
    for (const [cidr, count] of Object.entries(spec.block)) counted.set(`${spec.handleID} in ${cidr}`, count);
  }
  let assigned = 0;
  const affinityOfBlock = new Map<string, string | undefined>();
  for (const { spec } of await store.list(ipamBlocks)) {
    affinityOfBlock.set(spec.cidr, spec.affinity);
    for (const [ordinal, index] of spec.allocations.entries()) {
      const queued = spec.unallocated.filter((free) => free === ordinal).length;
      assert.equal(queued, index === null ? 1 : 0, `${spec.cidr}: ordinal ${ordinal}`);
      if (index === null) continue;
      assigned++;
      const key = `${spec.attributes[index]?.handle_id} in ${spec.cidr}`;
      assert.ok((counted.get(key) ?? 0) > 0, `an address of ${key} is not counted`);
      counted.set(key, (counted.get(key) ?? 0) - 1);
    }
  }
  for (const { spec } of await store.list(blockAffinities)) {
    if (spec.state === 'confirmed') assert.equal(affinityOfBlock.get(spec.cidr), `host:${spec.node}`);
  }
  let excess = 0;
  for (const count of counted.values()) excess += count;
  return { assigned, excess };
}
