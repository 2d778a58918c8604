// A node that reboots: its network, its processes and its mounts are gone, its disk and what the datastore says of it stay.
import assert from 'node:assert/strict';
import { untilAddressesAgree } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import { apply, fetchesFrom, podManifest, readyPods } from '../pods.ts';

/** Works with the pods "one" and "four" of `connectivity`: four, on node-3, has to go through it. */
export async function reboot(cluster: Cluster): Promise<void> {
  const gone = 'gone-meanwhile';
  await apply(cluster, podManifest({ name: gone, node: 'node-3' }));
  await readyPods(cluster, [gone]);
  const before = await starts(cluster, 'four');
  await cluster.reboot('node-3', async () => {
    await cluster.kubectl(['delete', 'pod', '--wait=false', gone]);
  });
  // Until kubelet has looked, the API server goes on telling that everything is Ready.
  await eventually('the pod "four" was started again', async () => (await starts(cluster, 'four')) > before);
  await calicoIsReady(cluster);
  const pods = await readyPods(cluster, ['one', 'four']);
  const [one, four] = [pods.get('one'), pods.get('four')];
  assert.ok(one && four);
  await fetchesFrom(cluster, one, `http://${four.ip}:8080/`, /^four$/);
  await fetchesFrom(cluster, four, `http://${one.ip}:8080/`, /^one$/);
  await cluster.kubectl(['wait', '--for=delete', `pod/${gone}`, '--timeout=180s']);
  await untilAddressesAgree(cluster);
}

async function starts(cluster: Cluster, pod: string): Promise<number> {
  const path = '--output=jsonpath={.status.containerStatuses[0].restartCount}';
  return Number(await cluster.kubectl(['get', 'pod', pod, path]));
}
