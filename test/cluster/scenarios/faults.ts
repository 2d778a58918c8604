// Things that go wrong on real nodes, and that pods shall not notice, or only for as long as they must.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { untilAddressesAgree } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import type { ClusterNode } from '../node.ts';
import { apply, fetchesFrom, podManifest, readyPods } from '../pods.ts';
import { busyboxPath } from '../test-images.ts';

/** Works with the pods of `connectivity`: "one" and "two" on node-1, "three" on node-2, "four" on node-3. */
export async function faults(t: TestContext, cluster: Cluster): Promise<void> {
  const first = cluster.node('node-1');

  await t.test('calico-node is killed while pods are being created', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `born-${index}`);
    await apply(cluster, ...names.map((name) => podManifest({ name, node: 'node-1' })));
    for (let kill = 0; kill < 3; kill++) {
      await killCalicoNode(first);
      await delay(500);
    }
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
    'the API server is away for a minute; pods talk on, and new ones come afterwards',
    async () => {
      await cluster.api.stopServer();
      const back = Date.now() + 60_000;
      while (Date.now() < back) {
        await podsTalk(cluster);
        await delay(5_000);
      }
      await cluster.api.restartServer();
      await newPodWorks(cluster, 'after-api-server');
    },
  );

  await t.test('etcd is killed and started again', async () => {
    await cluster.api.restartEtcd();
    await newPodWorks(cluster, 'after-etcd');
  });
}

async function killCalicoNode(node: ClusterNode): Promise<void> {
  const proc = node.seenFromOutside('/proc');
  const pids = readdirSync(proc).filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(`${proc}/${entry}/cmdline`, 'utf8').startsWith(
        '/usr/bin/node\0/usr/bin/calico-node',
      );
    } catch {
      // It ended while /proc was read.
      return false;
    }
  });
  // None, when it is just being started again.
  for (const pid of pids) await node.run([busyboxPath(), 'kill', '-KILL', pid]).catch(() => {});
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

async function newPodWorks(cluster: Cluster, name: string): Promise<void> {
  await apply(cluster, podManifest({ name, node: 'node-1' }));
  const pods = await readyPods(cluster, [name, 'three']);
  const pod = pods.get(name);
  assert.ok(pod);
  await fetchesFrom(cluster, pod, `http://${pods.get('three')?.ip}:8080/`, /^three$/);
  await cluster.kubectl(['delete', 'pod', '--now', name]);
  await untilAddressesAgree(cluster);
}
