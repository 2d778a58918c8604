// How long ADD waits for a policy that the agent cannot bring into the kernel yet, here because what it hears of the store is half
// of a picture.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { CniError } from '../../src/cni/errors.ts';
import { ipamHandles } from '../../src/resources/index.ts';
import { ipJson, testNamespace } from '../kernel/test-namespaces.ts';
import { HalfOutage } from './half-outage.ts';
import { requestOf, TestNode } from './test-node.ts';

test('ADD fails with code 11 when policy takes longer than it may, and leaves nothing; another waits for as long as it takes', async () => {
  const outage = new HalfOutage();
  const node = await (await TestNode.make({ view: (store) => outage.view(store) })).start();
  const add = (pod: string, seconds?: number) =>
    node.network.add(
      requestOf('ADD', {
        pod,
        container: pod,
        namespace: testNamespace(pod),
        configuration: seconds === undefined ? {} : { policy_setup_timeout_seconds: seconds },
      }),
    );
  const [hasty, patient] = ['hasty', 'patient'];
  for (const pod of [hasty, patient]) await node.createPod(pod);
  outage.begin();
  let isSetUp = false;
  const waiting = add(patient).then(() => {
    isSetUp = true;
  });
  await assert.rejects(add(hasty, 1), (error: unknown) => {
    assert.ok(error instanceof CniError);
    assert.equal(error.code, 11);
    assert.match(error.message, /policy of pod "shop\/hasty" is not in the kernel after 1000 ms/);
    return true;
  });
  assert.equal(isSetUp, false, 'it failed no sooner than the outage was over');
  const links = () => ipJson(node.namespace, 'link').map(({ ifname, flags }) => ({ ifname, flags }));
  const isUp = (pod: string) =>
    links().some(
      ({ ifname, flags }) =>
        ifname === interfaceNameOf('shop', pod) && (flags as readonly string[]).includes('UP'),
    );
  assert.deepEqual([isUp(hasty), isUp(patient)], [false, false]);

  outage.end();
  await waiting;
  await node.network.delete(requestOf('DEL', { pod: hasty, container: hasty, namespace: undefined }));
  assert.deepEqual([isUp(hasty), isUp(patient)], [false, true]);
  assert.equal((await node.store.list(ipamHandles)).length, 1, 'the address of the other');
  await add(hasty, 60);
  assert.equal(isUp(hasty), true);
});
