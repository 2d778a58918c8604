// A node whose calico-node was ended in order: it says that it has no network, and no pod is scheduled to it until it has one again.
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import { apply, podManifest, readyPods } from '../pods.ts';

const node = 'node-2';
const label = 'calico-ts';
const unavailable = 'node.kubernetes.io/network-unavailable';

export async function withoutAgent(cluster: Cluster): Promise<void> {
  const pod = podManifest({ name: 'patient' });
  // By the scheduler, unlike other pods of the tests.
  const spec = { ...pod.spec, nodeSelector: { 'kubernetes.io/hostname': node } };
  // The DaemonSet places none where this label is.
  await cluster.kubectl(['label', 'node', node, `${label}=not-yet`]);
  try {
    await eventually('the node says that it has no network', async () => (await said(cluster)) === 'True');
    // What the scheduler goes by is the taint that Kubernetes makes of it a moment later.
    await eventually('the node is tainted', async () =>
      (await fieldOfNode(cluster, '.spec.taints[*].key')).includes(unavailable),
    );
    await apply(cluster, { ...pod, spec });
    await eventually('the scheduler waits for the network', async () => {
      const why = await cluster.kubectl([
        'get',
        'events',
        '--field-selector=involvedObject.name=patient,reason=FailedScheduling',
        '--output=jsonpath={.items[*].message}',
      ]);
      return why.includes(unavailable) || Promise.reject(new Error(why));
    });
  } finally {
    await cluster.kubectl(['label', 'node', node, `${label}-`]);
  }
  await readyPods(cluster, ['patient']);
  await eventually('the node has a network again', async () => (await said(cluster)) === 'False');
  await calicoIsReady(cluster);
  await cluster.kubectl(['delete', 'pod', '--now', 'patient']);
}

function said(cluster: Cluster): Promise<string> {
  return fieldOfNode(cluster, '.status.conditions[?(@.type=="NetworkUnavailable")].status');
}

function fieldOfNode(cluster: Cluster, path: string): Promise<string> {
  return cluster.kubectl(['get', 'node', node, `--output=jsonpath={${path}}`]);
}
