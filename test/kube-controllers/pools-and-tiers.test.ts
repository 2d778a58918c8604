import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type Datastore, MemoryDatastore, SoundDatastore } from '../../src/datastore/index.ts';
import { emptyBlock } from '../../src/ipam/block.ts';
import { IpamClient } from '../../src/ipam/index.ts';
import { PoolController, TierController } from '../../src/kube-controllers/index.ts';
import { parseCidr } from '../../src/net/index.ts';
import { createLogger } from '../../src/process/index.ts';
import {
  type IPPool,
  type IPPoolSpec,
  ipamBlocks,
  ipPools,
  networkPolicies,
  type Resource,
  type ResourceKind,
  type Tier,
  tiers,
} from '../../src/resources/index.ts';
import { PlantedStore } from '../faults/planted-store.ts';
import { podRequest, smallPool, storeWith } from '../ipam/cluster.ts';
import { until } from './until.ts';

const apiVersion = 'projectcalico.org/v3';
const log = createLogger('test', 'silent');
const running: { stop(): Promise<void> }[] = [];
afterEach(() => Promise.all(running.splice(0).map((controller) => controller.stop())));

const context = (datastore: Datastore) => ({ datastore, log, reconcilerPeriodMs: 0 });

const pool = (name: string, spec: IPPoolSpec): IPPool => ({
  apiVersion,
  kind: 'IPPool',
  metadata: { name },
  spec,
});

/** "a True OK, b False CIDROverlap" */
function words(pools: readonly IPPool[]): string {
  return pools
    .map(({ metadata, status }) => {
      const condition = status?.conditions?.find(({ type }) => type === 'Allocatable');
      return `${metadata.name} ${condition?.status} ${condition?.reason}`;
    })
    .toSorted()
    .join(', ');
}

const said = (store: MemoryDatastore, wanted: string) =>
  until(store, ipPools, wanted, (pools) => words(pools) === wanted);

describe('IP pools:', () => {
  const begin = async (pools: Record<string, IPPoolSpec>) => {
    const store = await storeWith(pools);
    running.push(new PoolController(context(store)));
    return store;
  };

  test('of two pools that overlap the second gives no address, until the first is gone', async () => {
    const store = await begin({ a: { cidr: '10.0.0.0/24' } });
    await said(store, 'a True OK');
    await store.create(ipPools, pool('b', { cidr: '10.0.0.0/25' }));
    await store.create(ipPools, pool('c', { cidr: '10.0.1.0/24' }));
    const [, b] = await said(store, 'a True OK, b False CIDROverlap, c True OK');
    assert.equal(b?.status?.conditions?.[0]?.message, 'The range overlaps with that of pool "a"');
    await store.delete(ipPools, { name: 'a' });
    await said(store, 'b True OK, c True OK');
  });

  test('a disabled pool says so and holds no range', async () => {
    const store = await begin({ a: { cidr: '10.0.0.0/24', disabled: true }, b: { cidr: '10.0.0.0/24' } });
    await said(store, 'a False PoolDisabled, b True OK');
  });

  for (const family of [4, 6] as const) {
    test(`a deleted IPv${family} pool goes with the last of its addresses, and gives none meanwhile`, async () => {
      const store = await begin({ a: smallPool[family] });
      await said(store, 'a True OK');
      const client = new IpamClient(store);
      await client.autoAssign(podRequest(family, 'h', 'node-1'));
      await store.delete(ipPools, { name: 'a' });
      await said(store, 'a False Terminating');
      await assert.rejects(client.autoAssign(podRequest(family, 'i', 'node-1')), /is being deleted/);
      await client.releaseByHandle('h');
      await said(store, '');
      assert.deepEqual(await store.list(ipamBlocks), []);
    });
  }

  test('a deleted pool stays while a block of its range cannot be read, says so, and goes when that is mended or gone', async () => {
    const store = new PlantedStore();
    const words: string[] = [];
    const warn = (...said: unknown[]) => words.push(said.join(' '));
    const datastore = new SoundDatastore(store, () => {});
    running.push(
      new PoolController({
        ...context(datastore),
        log: Object.assign(createLogger('t', 'silent'), { warn }),
      }),
    );
    const ranges = {
      a: '10.0.0.0/26',
      b: '10.0.1.0/26',
      c: '10.0.2.0/26',
      d: '10.0.3.0/26',
      six: 'fd00::/120',
    };
    for (const [name, cidr] of Object.entries(ranges)) await store.create(ipPools, pool(name, { cidr }));
    await said(store, 'a True OK, b True OK, c True OK, d True OK, six True OK');
    const unreadable = ([name, spec]: readonly [string, unknown]) => {
      const object = { apiVersion, kind: 'IPAMBlock', metadata: { name }, spec } as Resource;
      return { kind: ipamBlocks as unknown as ResourceKind, object };
    };
    const planted = (
      [
        ['10-0-0-0-26', null],
        ['10-0-1-0-26', { cidr: 7 }],
        ['restored', { cidr: '10.0.2.0/26' }],
        ['fd00---122', {}],
        // In none of them, or of no size that a block has.
        ['10-0-4-0-26', null],
        ['0-0-0-0-0', { cidr: '10.0.3.0/8' }],
      ] as const
    ).map(unreadable);
    for (const block of planted) store.plant(block);
    for (const name of Object.keys(ranges)) await store.delete(ipPools, { name });
    const terminating =
      'a False Terminating, b False Terminating, c False Terminating, six False Terminating';
    const waiting = await said(store, terminating);
    for (const [index, one] of waiting
      .toSorted((x, y) => (x.metadata.name < y.metadata.name ? -1 : 1))
      .entries()) {
      const { name } = (planted[index] ?? assert.fail()).object.metadata;
      const sentence = new RegExp(
        `IPAMBlock "${name}" \\(.*\\) cannot be read and may hold some of them: repair`,
      );
      assert.match(one.status?.conditions?.[0]?.message ?? '', sentence);
      assert.equal(words.filter((word) => sentence.test(word)).length, 1);
    }
    const [first, second] = planted;
    assert.ok(first && second);
    store.uproot(first);
    await said(store, 'b False Terminating, c False Terminating, six False Terminating');
    store.uproot(second);
    const spec = emptyBlock(parseCidr('10.0.1.0/26'), 'host:node-1', new Date());
    await store.create(ipamBlocks, {
      apiVersion,
      kind: 'IPAMBlock',
      metadata: { name: '10-0-1-0-26' },
      spec,
    });
    await said(store, 'c False Terminating, six False Terminating');
    for (const block of planted) store.uproot(block);
    await said(store, '');
  });

  test('a pool that was split into smaller ones goes at once: its addresses live on in these', async () => {
    const store = await begin({ a: smallPool[4] });
    await said(store, 'a True OK');
    await new IpamClient(store).autoAssign(podRequest(4, 'h', 'node-1', 20));
    await store.create(ipPools, pool('b', { cidr: '10.0.0.0/27', blockSize: 29 }));
    await store.create(ipPools, pool('c', { cidr: '10.0.0.32/27', blockSize: 29 }));
    await said(store, 'a True OK, b False CIDROverlap, c False CIDROverlap');
    await store.delete(ipPools, { name: 'a' });
    await said(store, 'b True OK, c True OK');
  });
});

describe('tiers:', () => {
  const begin = async () => {
    const store = new MemoryDatastore();
    running.push(new TierController(context(store)));
    await until(store, tiers, 'the built-in tiers', (all) => all.length === 3);
    return store;
  };
  const names = (all: readonly { metadata: { name: string } }[]) =>
    all.map(({ metadata }) => metadata.name).toSorted();

  test('the built-in tiers are made, and made again when somebody deletes one', async () => {
    const store = await begin();
    assert.deepEqual(names(await store.list(tiers)), ['default', 'kube-admin', 'kube-baseline']);
    await store.delete(tiers, { name: 'kube-admin' });
    await until(store, tiers, 'kube-admin', (all) => names(all).includes('kube-admin'));
  });

  test('a deleted tier stays until its last policy is gone, and says what it waits for', async () => {
    const store = await begin();
    await store.create(tiers, {
      apiVersion,
      kind: 'Tier',
      metadata: { name: 'security' },
      spec: { order: 1 },
    });
    const isReady = ({ metadata, status }: (typeof tiers)['object'] & object) =>
      metadata.name === 'security' &&
      status?.conditions?.[0]?.status === 'True' &&
      metadata.finalizers?.length === 1;
    await until(store, tiers, 'a ready tier', (all) => all.some(isReady));
    const metadata = { namespace: 'shop', name: 'security.p' };
    await store.create(networkPolicies, {
      apiVersion,
      kind: 'NetworkPolicy',
      metadata,
      spec: { tier: 'security' },
    });
    await store.delete(tiers, { name: 'security' });
    const all = await until(store, tiers, 'a tier that waits', (found) =>
      found.some(({ status }) => status?.conditions?.[0]?.reason === 'Terminating'),
    );
    const waiting = all.find(({ metadata: { name } }) => name === 'security');
    assert.match(
      waiting?.status?.conditions?.[0]?.message ?? '',
      /the last of its policies, of which there is one$/,
    );
    await store.delete(networkPolicies, metadata);
    await until(store, tiers, 'the end of the tier', (found) => found.length === 3);
  });

  test('a deleted tier stays while a policy of it cannot be read', async () => {
    const store = new PlantedStore();
    running.push(new TierController(context(new SoundDatastore(store, () => {}))));
    const metadata = { name: 'security' };
    await store.create(tiers, { apiVersion, kind: 'Tier', metadata, spec: { order: 1 } });
    const isTier = (all: readonly Tier[], reason: string) =>
      all.some(
        ({ metadata: { name }, status }) => name === 'security' && status?.conditions?.[0]?.reason === reason,
      );
    await until(store, tiers, 'a ready tier', (all) => isTier(all, 'Active'));
    const policy = { namespace: 'shop', name: 'security.p' };
    const spec = { tier: 'security', ingress: 'none' };
    const object = { apiVersion, kind: 'NetworkPolicy', metadata: policy, spec } as Resource;
    const planted = { kind: networkPolicies as unknown as ResourceKind, object };
    store.plant(planted);
    await store.delete(tiers, metadata);
    await until(store, tiers, 'a tier that waits', (all) => isTier(all, 'Terminating'));
    // What follows comes after whatever became of that.
    await store.delete(tiers, { name: 'kube-admin' });
    await until(store, tiers, 'kube-admin', (all) => names(all).includes('kube-admin'));
    assert.ok(names(await store.list(tiers)).includes('security'));
    store.uproot(planted);
    await until(store, tiers, 'the end of the tier', (all) => !names(all).includes('security'));
  });
});
