// How long a released address rests, by which clock and by whose rules.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryDatastore } from '../datastore/index.ts';
import { parseCidr } from '../net/index.ts';
import { ipamBlocks, ipamConfigurations, ipPools } from '../resources/index.ts';
import { assign, type BlockSpec, emptyBlock, release } from './block.ts';
import { BlockWriter } from './block-writer.ts';
import { Blocks } from './blocks.ts';
import { withoutCooled } from './cooldown.ts';
import { IpamClient, PoolExhaustedError } from './index.ts';
import { nodeOwner } from './owner.ts';

const start = new Date('2026-03-01T00:00:00Z');
const cidr = parseCidr('10.0.0.0/31');
const owner = { handleId: 'h', attributes: {} };
const request = { ...owner, node: 'n', count: { 4: 1 }, use: 'Workload' as const };

/** Both addresses of a block, released at that moment. */
function resting(releasedAt: Date): BlockSpec {
  const { spec, ordinals } = assign(emptyBlock(cidr, 'host:n', start), 2, owner);
  return release(spec, ordinals, releasedAt);
}

function secondsLater(seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}

describe('a block whose addresses rest', () => {
  for (const [what, releasedAt, cooldownSeconds, free] of [
    ['for less than the cooldown keeps them', secondsLater(-59), 60, 0],
    ['for the cooldown frees them', secondsLater(-60), 60, 2],
    ['by a clock somewhat ahead of ours keeps them', secondsLater(61), 60, 0],
    ['by a clock further ahead than any cooldown frees them', secondsLater(1201), 60, 2],
    ['for as long as any cooldown may last frees them', secondsLater(-1200), 1e308, 2],
    ['since no time that can be read frees them', new Date(Number.NaN), 60, 2],
    ['frees them when the cooldown is switched off, also by a clock ahead of ours', secondsLater(61), 0, 2],
  ] as const) {
    test(what, () => {
      const isReadable = !Number.isNaN(releasedAt.getTime());
      const spec = resting(isReadable ? releasedAt : start);
      const attributes = isReadable ? spec.attributes : [{ releasedAt: 'yesterday' }];
      assert.equal(withoutCooled({ ...spec, attributes }, cooldownSeconds, start).unallocated.length, free);
    });
  }
});

async function storeWithRestingBlock() {
  const store = new MemoryDatastore();
  const blocks = new Blocks(store, () => start);
  await blocks.claim(nodeOwner('n'), cidr);
  const [block] = await store.list(ipamBlocks);
  assert.ok(block);
  await store.update(ipamBlocks, { ...block, spec: resting(start) });
  return { store, blocks };
}

test('a request that had to wait for the store is judged by the time when its turn comes', async () => {
  const { store } = await storeWithRestingBlock();
  await store.create(ipPools, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'p' },
    spec: { cidr: '10.0.0.0/31', blockSize: 31 },
  });
  await store.create(ipamConfigurations, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMConfiguration',
    metadata: { name: 'default' },
    spec: { strictAffinity: false, autoAllocateBlocks: true, ipCooldownSeconds: 60 },
  });
  let now = secondsLater(59);
  const client = new IpamClient(store, { now: () => now });
  await assert.rejects(client.autoAssign(request), PoolExhaustedError);
  store.interference = {
    before: ({ kind }) => {
      if (kind === 'IPAMBlock') now = secondsLater(60);
    },
  };
  assert.equal((await client.autoAssign(request)).length, 1);
});

test('changes that share a write are each decided by their own rules', async () => {
  const { store, blocks } = await storeWithRestingBlock();
  const writer = new BlockWriter(blocks);
  const take = (seconds: number) => {
    const thaw = (spec: BlockSpec) => withoutCooled(spec, seconds, secondsLater(60));
    return writer.change(cidr, thaw, (spec) => {
      const { spec: next, ordinals } = assign(spec, 1, owner);
      return { spec: next, result: ordinals.length };
    });
  };
  let updates = 0;
  store.interference = {
    before: ({ verb }) => {
      if (verb === 'update') updates++;
    },
  };
  assert.deepEqual(await Promise.all([take(600), take(30)]), [0, 1]);
  assert.equal(updates, 1);
});
