// A node's disk is full wherever Calico writes, for bytes and for files: what runs goes on, policies come into force, pods come and go;
// what has to wait waits, and is done when there is room again.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { untilAddressesAgree } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import type { ClusterNode } from '../node.ts';
import { apply, fetchesFrom, isCutOff, podManifest, readyPods } from '../pods.ts';
import { doctorTells } from './doctor.ts';
import { startsOfCalicoNode } from './faults.ts';

const folders = ['/var/lib/calico', '/var/run/calico', '/var/log/calico', '/etc/cni/net.d', '/opt/cni/bin'];
const socket = '/var/run/calico/cni.sock';
/** DELs that nobody could do when they came. */
const kept = '/var/lib/calico/cni-deletions';
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
      await apply(cluster, denialOf('on-full-disk'));
      await isCutOff(cluster, fresh, url);
      await cluster.kubectl(['delete', 'networkpolicy', 'deny-on-full-disk']);
      await fetchesFrom(cluster, fresh, url, /^three$/);
      await cluster.kubectl(['delete', 'pod', '--now', 'on-full-disk']);
    });
    await t.test(
      'without calico-node a pod goes as soon as there is one again, for its DEL cannot be kept',
      async () => {
        await apply(cluster, podManifest({ name: 'goes-late', node: node.name }));
        await readyPods(cluster, ['goes-late']);
        await cluster.kubectl(['label', 'node', node.name, 'calico-ts=not-yet']);
        await eventually('calico-node has left the node', async () => !(await hasCalicoNode(cluster, node)));
        // Nor has the node a network, as calico-node says where it has the time when it ends.
        const besides = ['network-unavailable'];
        const missing = [
          {
            finding: 'agent-missing: No calico-node runs on the node',
            where: `node "${node.name}"`,
            remedy: /^See why the DaemonSet places none/,
          },
        ];
        await doctorTells(cluster, 'the cluster', missing, { besides });
        await cluster.kubectl(['delete', 'pod', '--now', '--wait=false', 'goes-late']);
        await eventually('an event says that its DEL cannot be kept', async () => {
          const events = await cluster.kubectl([
            'get',
            'events',
            '--field-selector=involvedObject.name=goes-late,type=Warning',
            '--output=jsonpath={.items[*].message}',
          ]);
          return /nor can the DEL be kept: .*no space left/.test(events) || Promise.reject(new Error(events));
        });
        assert.deepEqual(readdirSync(node.seenFromOutside(kept)), []);
        await cluster.kubectl(['label', 'node', node.name, 'calico-ts-']);
        await cluster.kubectl(['wait', '--for=delete', 'pod/goes-late', '--timeout=180s']);
        await calicoIsReady(cluster);
        await untilAddressesAgree(cluster);
      },
    );
    await t.test('without room for its socket calico-node goes on enforcing, and pods wait', async () => {
      const later = podManifest({ name: 'waits-for-socket', node: node.name });
      await node.run(['rm', socket]);
      // Its room is free when nobody listens on it any more, and is taken again before anybody does.
      const taken = node.run(['sh', '-c', `until touch ${socket}-filler; do :; done 2>/dev/null`]);
      assert.equal(await node.killProgram('calico-node'), 1);
      await taken;
      await apply(cluster, later, denialOf('one'));
      await isCutOff(cluster, one, url);
      await cluster.kubectl(['delete', 'networkpolicy', 'deny-one']);
      await fetchesFrom(cluster, one, url, /^three$/);
      const starts = await startsOfCalicoNode(cluster, node.name);
      assert.ok(!existsSync(node.seenFromOutside(socket)), 'there was room for a socket');
      await node.run(['rm', `${socket}-filler`]);
      const pod = (await readyPods(cluster, ['waits-for-socket'])).get('waits-for-socket');
      assert.ok(pod);
      await fetchesFrom(cluster, pod, url, /^three$/);
      await cluster.kubectl(['delete', 'pod', '--now', 'waits-for-socket']);
      assert.equal(await startsOfCalicoNode(cluster, node.name), starts);
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

const denialOf = (app: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: `deny-${app}`, namespace: 'default' },
  spec: { podSelector: { matchLabels: { app } }, policyTypes: ['Egress'] },
});

async function hasCalicoNode(cluster: Cluster, { name }: ClusterNode): Promise<boolean> {
  const pods = await cluster.kubectl([
    'get',
    'pods',
    '--namespace=calico-system',
    '--selector=k8s-app=calico-node',
    `--field-selector=spec.nodeName=${name}`,
    '--output=name',
  ]);
  return pods.trim() !== '';
}

/** A line for a shell that lays a file system without any room over a folder, with the folder's files in it. */
function fill(folder: string): string {
  const copy = `cp --archive ${folder}/. "$disk"`;
  return `
    disk=$(mktemp --directory)
    size=$(($(du --summarize --block-size=4096 ${folder} | cut --fields=1) + 8))
    files=$(($(find ${folder} | wc --lines) + 1))
    mount -t tmpfs -o size=$((size * 4096)),nr_inodes=$files,mode=0755 tmpfs "$disk"
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
