// What is asked of a pod while an earlier ADD of it has not ended: that ADD hangs because the datastore does not answer, or because
// the kernel cannot be brought to what it wants, and the runtime has given it up and begins anew with another container.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { CniError } from '../../src/cni/errors.ts';
import { cniResult } from '../../src/cni/result.ts';
import type { Datastore } from '../../src/datastore/index.ts';
import { ipamBlocks, ipamHandles, type Resource, type ResourceKind } from '../../src/resources/index.ts';
import { ipJson, type TestNamespace, testNamespace } from '../kernel/test-namespaces.ts';
import { HalfOutage } from './half-outage.ts';
import { storeView } from './store-view.ts';
import { requestOf, TestNode } from './test-node.ts';

/** A store that does not answer when an object is to be made, until it is told how to. */
class SilentStore {
  #asked = Promise.withResolvers<void>();
  readonly #answered = Promise.withResolvers<void>();
  #isSilent = true;

  view(store: Datastore): Datastore {
    const create = async <T extends Resource>(kind: ResourceKind<T>, object: T) => {
      if (this.#isSilent) {
        this.#asked.resolve();
        await this.#answered.promise;
      }
      return store.create(kind, object);
    };
    return { ...storeView(store, store.follow.bind(store)), create };
  }

  /** Resolves when somebody waits for an answer. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Answers, with an error when there is one, whoever waits; all that follows is done at once. */
  answer(error?: Error): void {
    this.#isSilent = false;
    if (error) this.#answered.reject(error);
    else this.#answered.resolve();
  }
}

const call = (container: string, namespace: TestNamespace | undefined, seconds?: number) => ({
  pod: 'web',
  container,
  namespace,
  configuration: seconds === undefined ? {} : { policy_setup_timeout_seconds: seconds },
});
const waitsFor = (container: string) => (error: unknown) => {
  assert.ok(error instanceof CniError);
  assert.equal(error.code, 11);
  assert.match(
    error.message,
    new RegExp(`the ADD of container "${container}".* has not ended after 1000 ms`),
  );
  return true;
};

/** What IPAM holds: handles, and how many addresses the blocks count as assigned. */
async function holdings({ store }: TestNode): Promise<[string[], number]> {
  const handles = await store.list(ipamHandles);
  const blocks = await store.list(ipamBlocks);
  return [
    handles.map(({ spec }) => spec.handleID),
    blocks.flatMap(({ spec }) => spec.allocations.filter((index) => index !== null)).length,
  ];
}

/** Alias of the pod's link; undefined when there is none. */
function ownerOf({ namespace }: TestNode): unknown {
  return ipJson(namespace, 'link').find(({ ifname }) => ifname === interfaceNameOf('shop', 'web'))?.ifalias;
}

for (const [ending, error] of [
  ['succeeds', undefined],
  ['fails', new Error('The store is broken')],
] as const) {
  test(`an ADD is answered in its own time while an earlier one waits for the store, which then ${ending}; and the next one works`, async () => {
    const silent = new SilentStore();
    const node = await (await TestNode.make({ view: (store) => silent.view(store) })).start();
    await node.createPod('web');
    const [first, second] = [testNamespace('first'), testNamespace('second')];
    const hanging = node.network.add(requestOf('ADD', call('c1', first)));
    const end = hanging.then(
      () => 'succeeds',
      () => 'fails',
    );
    await silent.asked;
    await assert.rejects(node.network.add(requestOf('ADD', call('c2', second, 1))), waitsFor('c1'));
    assert.deepEqual(await holdings(node), [[], 0], 'neither has got anything');
    // As runtimes do after a failure.
    const deleted = ['c2', 'c1'].map((container) =>
      node.network.delete(requestOf('DEL', call(container, undefined))),
    );
    silent.answer(error);
    assert.equal(await end, ending);
    await Promise.all(deleted);
    assert.deepEqual([await holdings(node), ownerOf(node)], [[[], 0], undefined]);

    const { addresses } = await node.network.add(requestOf('ADD', call('c3', testNamespace('third'), 60)));
    assert.deepEqual([await holdings(node), addresses.length], [[['test-net.c3'], 1], 1]);
    assert.equal(ownerOf(node), 'test-net c3 eth0 shop/web');
  });
}

test('an ADD that was given up is not done later: what an earlier one has set up meanwhile stays', async () => {
  const silent = new SilentStore();
  const node = await (await TestNode.make({ view: (store) => silent.view(store) })).start();
  await node.createPod('web');
  const hanging = node.network.add(requestOf('ADD', call('c1', testNamespace('first'))));
  await silent.asked;
  const again = requestOf('ADD', call('c2', testNamespace('second'), 1));
  await assert.rejects(node.network.add(again), waitsFor('c1'));
  silent.answer();
  const attached = await hanging;
  const check = requestOf('CHECK', {
    ...call('c1', testNamespace('first')),
    configuration: { prevResult: cniResult('1.1.0', attached, undefined) },
  });
  await node.network.check({ ...check, namespacePath: attached.links?.pod.namespacePath ?? '' });
  assert.deepEqual(
    [await holdings(node), ownerOf(node)],
    [[['test-net.c1'], 1], 'test-net c1 eth0 shop/web'],
  );
});

test('an ADD is answered in its own time while an earlier one that took too long is still being undone', async () => {
  const outage = new HalfOutage();
  const node = await (await TestNode.make({ view: (store) => outage.view(store) })).start();
  await node.createPod('web');
  outage.begin();
  await assert.rejects(
    node.network.add(requestOf('ADD', call('c1', testNamespace('first'), 1))),
    /policy of pod "shop\/web" is not in the kernel after 1000 ms/,
  );
  const second = testNamespace('second');
  await assert.rejects(node.network.add(requestOf('ADD', call('c2', second, 1))), waitsFor('c1'));
  outage.end();
  for (const container of ['c1', 'c2'])
    await node.network.delete(requestOf('DEL', call(container, undefined)));
  assert.deepEqual([await holdings(node), ownerOf(node)], [[[], 0], undefined]);
  await node.network.add(requestOf('ADD', call('c3', second, 60)));
  assert.deepEqual(
    [await holdings(node), ownerOf(node)],
    [[['test-net.c3'], 1], 'test-net c3 eth0 shop/web'],
  );
});

test('a container that is added again, because nobody took the answer to its ADD, has one address', async () => {
  const node = await (await TestNode.make()).start();
  await node.createPod('web');
  const request = requestOf('ADD', call('c1', testNamespace('pod')));
  await node.network.add(request);
  await node.network.add(request);
  assert.deepEqual(await holdings(node), [['test-net.c1'], 1]);
});
