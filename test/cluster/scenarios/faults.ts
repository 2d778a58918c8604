// Things that go wrong on real nodes, and that pods shall not notice, or only for as long as they must.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { untilAddressesAgree } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { apply, fetchesFrom, podManifest, readyPods } from '../pods.ts';

/** Works with the pods of `connectivity`: "one" and "two" on node-1, "three" on node-2, "four" on node-3. */
export async function faults(t: TestContext, cluster: Cluster): Promise<void> {
  const first = cluster.node('node-1');

  await t.test('calico-node is killed while pods are being created', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `born-${index}`);
    await apply(cluster, ...names.map((name) => podManifest({ name, node: 'node-1' })));
    let killed = 0;
    for (let kill = 0; kill < 3; kill++) {
      killed += await first.killProgram('calico-node');
      await delay(500);
    }
    assert.notEqual(killed, 0);
    const pods = await readyPods(cluster, names);
    const [one] = [...pods.values()].filter(({ name }) => name === 'born-0');
    assert.ok(one);
    await fetchesFrom(cluster, one, `http://${pods.get('three')?.ip}:8080/`, /^three$/);
    await untilAddressesAgree(cluster);
    await cluster.kubectl(['delete', 'pod', '--now', ...names]);
    await untilAddressesAgree(cluster);
  });

  await t.test('kubelet is killed and started again', async () => {
    await first.program('kubelet').killed();
    first.start('kubelet');
    await newPodWorks(cluster, 'after-kubelet');
  });

  await t.test('containerd is killed and started again; the pods run on', async () => {
    await first.program('containerd').killed();
    await podsTalk(cluster);
    await first.startContainerd();
    await newPodWorks(cluster, 'after-containerd');
  });

  await t.test(
    'the API server is away for a minute; pods talk on, a calico-node that starts waits, and new pods come afterwards',
    async () => {
      const starts = await startsOfCalicoNode(cluster, 'node-3');
      await cluster.api.stopServer();
      assert.equal(await cluster.node('node-3').killProgram('calico-node'), 1);
      const back = Date.now() + 60_000;
      while (Date.now() < back) {
        await podsTalk(cluster);
        await delay(5_000);
      }
      await cluster.api.restartServer();
      await newPodWorks(cluster, 'after-api-server');
      await newPodWorks(cluster, 'after-waiting', 'node-3');
      // Once because it was killed; neither its probes nor it itself ended it for waiting.
      assert.equal(await startsOfCalicoNode(cluster, 'node-3'), starts + 1);
    },
  );

  await t.test('etcd is killed and started again', async () => {
    await cluster.api.restartEtcd();
    await newPodWorks(cluster, 'after-etcd');
  });
}

/** Without the API server: from inside the pods' namespaces. */
async function podsTalk(cluster: Cluster): Promise<void> {
  const [from, to] = await Promise.all([
    cluster.node('node-1').podNamespaces(),
    cluster.node('node-2').podNamespaces(),
  ]);
  const [namespace] = from.keys();
  const target = [...to.keys()];
  assert.ok(namespace);
  const attempts = await Promise.allSettled(
    target.map((ip) => cluster.node('node-1').fetchInPod(namespace, `http://${ip}:8080/`)),
  );
  assert.ok(
    attempts.some(({ status }) => status === 'fulfilled'),
    'no pod of node-2 answers a pod of node-1',
  );
}

/** How often its container has been started again, as the kubelet tells it. */
export async function startsOfCalicoNode(cluster: Cluster, node: string): Promise<number> {
  const ofNode = ['--selector=k8s-app=calico-node', `--field-selector=spec.nodeName=${node}`];
  const counts = '--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}';
  return Number(await cluster.kubectl(['get', 'pods', '--namespace=calico-system', ...ofNode, counts]));
}

async function newPodWorks(cluster: Cluster, name: string, node = 'node-1'): Promise<void> {
  await apply(cluster, podManifest({ name, node }));
  const pods = await readyPods(cluster, [name, 'three']);
  const pod = pods.get(name);
  assert.ok(pod);
  await fetchesFrom(cluster, pod, `http://${pods.get('three')?.ip}:8080/`, /^three$/);
  await cluster.kubectl(['delete', 'pod', '--now', name]);
  await untilAddressesAgree(cluster);
}
