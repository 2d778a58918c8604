// A node's disk is full wherever Calico writes: what runs goes on, policies come into force, pods come and go; and when there is
// room again, what could not be written is.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import type { ClusterNode } from '../node.ts';
import { apply, fetchesFrom, isCutOff, podManifest, readyPods } from '../pods.ts';

const folders = ['/var/lib/calico', '/etc/cni/net.d', '/opt/cni/bin'];
/** What the agent writes at its start besides the node's name, without which no pod is added. */
const mtu = '/var/lib/calico/mtu';

/** Works with the pods "one" on node-1 and "three" on node-2 of `connectivity`. */
export async function fullDisk(t: TestContext, cluster: Cluster): Promise<void> {
  const node = cluster.node('node-1');
  const pods = await readyPods(cluster, ['one', 'three']);
  const [one, three] = [pods.get('one'), pods.get('three')];
  assert.ok(one && three);
  const url = `http://${three.ip}:8080/`;
  await node.run(['rm', mtu]);
  for (const folder of folders) await node.run(['sh', '-c', fill(folder)]);
  try {
    await t.test('calico-node starts anew, and its node stays ready', async () => {
      await replaceCalicoNode(cluster, node);
      assert.ok(!existsSync(node.seenFromOutside(mtu)), 'there was room to write');
      const conflist = readFileSync(node.seenFromOutside('/etc/cni/net.d/10-calico.conflist'), 'utf8');
      assert.equal(JSON.parse(conflist).name, 'k8s-pod-network');
    });
    await t.test('pods come and go, and policies come into force', async () => {
      await apply(cluster, podManifest({ name: 'on-full-disk', node: node.name }));
      const fresh = (await readyPods(cluster, ['on-full-disk'])).get('on-full-disk');
      assert.ok(fresh);
      await fetchesFrom(cluster, fresh, url, /^three$/);
      await apply(cluster, denial);
      await isCutOff(cluster, fresh, url);
      await cluster.kubectl(['delete', 'networkpolicy', 'deny-on-full-disk']);
      await fetchesFrom(cluster, fresh, url, /^three$/);
      await cluster.kubectl(['delete', 'pod', '--now', 'on-full-disk']);
    });
    await t.test('with room again, what could not be written is', async () => {
      for (const folder of folders) await node.run(['rm', `${folder}/filler`]);
      await eventually('the packet size is there', () => existsSync(node.seenFromOutside(mtu)));
    });
  } finally {
    for (const folder of folders) await node.run(['umount', '--lazy', folder]);
    await replaceCalicoNode(cluster, node);
  }
}

const denial = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'deny-on-full-disk', namespace: 'default' },
  spec: { podSelector: { matchLabels: { app: 'on-full-disk' } }, policyTypes: ['Egress'] },
};

/** A line for a shell that lays a file system without any room over a folder, with the folder's files in it. */
function fill(folder: string): string {
  const copy = `cp --archive ${folder}/. "$disk"`;
  return `
    disk=$(mktemp --directory)
    size=$(($(du --summarize --block-size=4096 ${folder} | cut --fields=1) + 8))
    mount -t tmpfs -o size=$((size * 4096)),mode=0755 tmpfs "$disk"
    ${copy}
    mount --bind "$disk" ${folder}
    umount "$disk"
    dd if=/dev/zero of=${folder}/filler bs=4096 2>/dev/null && exit 1
    exit 0`;
}

async function replaceCalicoNode(cluster: Cluster, { name }: ClusterNode): Promise<void> {
  await cluster.kubectl([
    'delete',
    'pod',
    '--namespace=calico-system',
    '--selector=k8s-app=calico-node',
    `--field-selector=spec.nodeName=${name}`,
  ]);
  await calicoIsReady(cluster);
}
