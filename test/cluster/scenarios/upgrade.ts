// Applying a newer version, of other programs with a table of another layout, and going back: every agent and its table are replaced,
// and a connection between pods of two nodes goes on through all of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { newer, newerCalicoImage } from '../calico-image.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady, manifest } from '../install.ts';
import { apply, fetchesFrom, isCutOff, podManifest, readyPods } from '../pods.ts';
import { busyboxImage } from '../test-images.ts';
import { doctorTells } from './doctor.ts';

const image = /calico-ts\/calico:v[0-9.]+/g;

/** Leaves the version that was there before. */
export async function upgrade(t: TestContext, cluster: Cluster): Promise<void> {
  const text = readFileSync(manifest('calico.yaml'), 'utf8');
  const [present = ''] = text.match(image) ?? [];
  const layout = await layoutOn(cluster, 'node-1');
  assert.match(layout, /^calico-ts, layout \d+$/);
  assert.notEqual(layout, newer.layout);
  const archive = await newerCalicoImage();
  for (const node of cluster.nodes) await node.importImage(archive);
  await startTalk(cluster);

  await t.test('a newer version with a table of another layout is applied', async () => {
    await cluster.kubectl(['apply', '--filename=-'], text.replaceAll(image, newer.image));
    await isOf(cluster, newer.image, newer.layout);
    await talkGoesOn(cluster);
    const said = await cluster.kubectl([...inCalicoNode, 'calicoctl', 'version', '--client']);
    assert.match(said, /^Client Version: +v?99\.0\.0$/m);
    await newPodsTalk(cluster);
  });
  await t.test('the doctor says that this calicoctl is of another version', () =>
    doctorTells(cluster, 'the cluster', [
      {
        finding: 'versions-differ: Programs of several versions work in this cluster',
        where: 'the cluster',
        remedy: /use the calicoctl of that version/,
      },
    ]),
  );
  await t.test('and the older version again', async () => {
    await cluster.kubectl(['apply', '--filename=-'], text);
    await isOf(cluster, present, layout);
    await talkGoesOn(cluster);
    await newPodsTalk(cluster);
  });
  await cluster.kubectl(['delete', 'pod', '--now', 'talker', 'echo']);
}

const inCalicoNode = ['exec', '--namespace=calico-system', 'daemonset/calico-node', '--'];

/** Resolves once all programs are of that image, and all tables of that layout. */
async function isOf(cluster: Cluster, wanted: string, layout: string): Promise<void> {
  await calicoIsReady(cluster);
  await eventually('nothing of the other version is left', async () => {
    const images = await cluster.kubectl([
      'get',
      'pods',
      '--namespace=calico-system',
      '--output=jsonpath={.items[*].spec.containers[*].image}',
    ]);
    return images.split(' ').every((name) => name === wanted) || Promise.reject(new Error(images));
  });
  for (const { name } of cluster.nodes) assert.equal(await layoutOn(cluster, name), layout);
}

/** What stands on a node's table. */
async function layoutOn(cluster: Cluster, node: string): Promise<string> {
  const listed = await cluster.node(node).run(['nft', 'list', 'table', 'inet', 'calico']);
  return /^\tcomment "(.*)"$/m.exec(listed)?.[1] ?? '';
}

async function talkGoesOn(cluster: Cluster): Promise<void> {
  const until = await heard(cluster);
  await eventually('the talk goes on', async () => Number(await heard(cluster)) > Number(until));
}

/** What the new table does for pods that it has not seen come. */
async function newPodsTalk(cluster: Cluster): Promise<void> {
  const name = 'after-change';
  await apply(cluster, podManifest({ name, node: 'node-1' }));
  const pods = await readyPods(cluster, [name, 'three']);
  const [fresh, three] = [pods.get(name), pods.get('three')];
  assert.ok(fresh && three);
  const url = `http://${three.ip}:8080/`;
  await fetchesFrom(cluster, fresh, url, /^three$/);
  await apply(cluster, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'default' },
    spec: { podSelector: { matchLabels: { app: name } }, policyTypes: ['Egress'] },
  });
  await isCutOff(cluster, fresh, url);
  await cluster.kubectl(['delete', `networkpolicy/${name}`]);
  await cluster.kubectl(['delete', '--now', `pod/${name}`]);
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
