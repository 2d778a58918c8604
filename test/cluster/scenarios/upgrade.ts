// Applying a newer version: every agent is replaced, and a connection between pods of two nodes goes on through all of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady, manifest } from '../install.ts';
import { apply, readyPods } from '../pods.ts';
import { busyboxImage } from '../test-images.ts';

const image = /calico-ts\/calico:v[0-9.]+/g;
const newer = 'calico-ts/calico:v99.0.0';

export async function upgrade(cluster: Cluster): Promise<void> {
  const text = readFileSync(manifest('calico.yaml'), 'utf8');
  const [present = ''] = text.match(image) ?? [];
  for (const node of cluster.nodes) await node.tagImage(`docker.io/${present}`, `docker.io/${newer}`);
  await startTalk(cluster);

  await cluster.kubectl(['apply', '--filename=-'], text.replaceAll(image, newer));
  await calicoIsReady(cluster);
  const images = await cluster.kubectl([
    'get',
    'pods',
    '--namespace=calico-system',
    '--output=jsonpath={.items[*].spec.containers[*].image}',
  ]);
  assert.deepEqual([...new Set(images.split(' '))], [newer]);

  const afterwards = await heard(cluster);
  await eventually('the talk goes on', async () => Number(await heard(cluster)) > Number(afterwards));
  await cluster.kubectl(['delete', 'pod', '--now', 'talker', 'echo']);
}

/** One line every tenth of a second from "talker" on node-1 to "echo" on node-2 and back, over one connection. */
async function startTalk(cluster: Cluster): Promise<void> {
  await apply(cluster, podRunning('echo', 'node-2', 'nc -ll -p 9000 -e cat'));
  const echo = (await readyPods(cluster, ['echo'])).get('echo');
  assert.ok(echo);
  const say = 'i=0; while true; do echo $i; i=$((i+1)); sleep 0.1; done';
  const line = `sleep 2; (${say}) | nc ${echo.ip} 9000 >/tmp/heard; echo "the connection ended" >>/tmp/heard; sleep 3600`;
  await apply(cluster, podRunning('talker', 'node-1', line));
  await readyPods(cluster, ['talker']);
  await eventually('the talk begins', async () => Number(await heard(cluster)) > 0);
}

/** The last line that came back. */
async function heard(cluster: Cluster): Promise<string> {
  const last = (await cluster.kubectl(['exec', 'talker', '--', 'tail', '-n', '1', '/tmp/heard'])).trim();
  assert.match(last, /^\d*$/);
  return last;
}

function podRunning(name: string, node: string, command: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'shell',
          image: busyboxImage,
          imagePullPolicy: 'Never',
          command: ['/bin/sh', '-c', command],
        },
      ],
    },
  };
}
