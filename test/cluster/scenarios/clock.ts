// A clock that jumps, for Calico's programs alone: Debian's libfaketime tells them another time of day, and time as the kernel
// counts it goes on, as when somebody sets a machine's clock.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { unpackedPackages } from '../../../setup/debian-packages.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import { apply, fetchesFrom, isCutOff, podManifest, readyPods } from '../pods.ts';

const folder = '/var/lib/faketime';
const inNamespace = '--namespace=calico-system';
const programs = ['daemonset/calico-node', 'deployment/calico-kube-controllers'];
const hour = 3_600_000;

/** Works with the pod "three" on node-2 of `connectivity`. Leaves the programs with the library, and the right time. */
export async function clock(t: TestContext, cluster: Cluster): Promise<void> {
  const library = join(unpackedPackages(['libfaketime']), 'usr/lib');
  for (const node of cluster.nodes) {
    await node.run(['mkdir', folder]);
    await node.run(['sh', '-c', `cp ${library}/*/faketime/libfaketimeMT.so.1 ${folder}`]);
  }
  await setClocks(cluster, 6);
  for (const program of programs) {
    const container = program.slice(program.indexOf('/') + 1);
    await cluster.kubectl(['patch', inNamespace, program, '--patch', JSON.stringify(patchOf(container))]);
  }

  await t.test('programs start six hours ahead', async () => {
    await calicoIsReady(cluster);
    const told = await cluster.kubectl(['exec', inNamespace, 'daemonset/calico-node', '--', ...tellTime]);
    assert.ok(Math.abs(Number(told) - Date.now() - 6 * hour) < hour, told);
    await lifeGoesOn(cluster);
  });
  await t.test('it jumps six hours further', async () => {
    await setClocks(cluster, 12);
    await lifeGoesOn(cluster);
  });
  await t.test('it is set back by twelve hours', async () => {
    await setClocks(cluster, 0);
    await lifeGoesOn(cluster);
  });
  await t.test('nobody died of it, and who leads goes on leading', async () => {
    const path = '--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}';
    assert.match(await cluster.kubectl(['get', 'pods', inNamespace, path]), /^0( 0)*$/);
    const renewed = () =>
      cluster.kubectl(['get', 'lease', inNamespace, 'calico-kube-controllers', '--output=jsonpath={.spec}']);
    const before = await renewed();
    await eventually('the lease is renewed', async () => (await renewed()) !== before);
    const transitions = (spec: string) => JSON.parse(spec).leaseTransitions;
    assert.equal(transitions(await renewed()), transitions(before));
  });
}

const tellTime = ['node', '--print', 'Date.now()'];

function patchOf(container: string): object {
  const env = {
    LD_PRELOAD: `${folder}/libfaketimeMT.so.1`,
    FAKETIME_TIMESTAMP_FILE: `${folder}/offset`,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  return {
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: container,
              env: Object.entries(env).map(([name, value]) => ({ name, value })),
              volumeMounts: [{ name: 'faketime', mountPath: folder, readOnly: true }],
            },
          ],
          volumes: [{ name: 'faketime', hostPath: { path: folder } }],
        },
      },
    },
  };
}

/** So many hours ahead of the machine's. */
async function setClocks(cluster: Cluster, hours: number): Promise<void> {
  for (const node of cluster.nodes) {
    // Whole or not at all: it is read at every look at the clock.
    await node.run(['sh', '-c', `echo +${hours}h >${folder}/next && mv ${folder}/next ${folder}/offset`]);
  }
}

/** A pod comes, is denied and allowed again, and goes. */
async function lifeGoesOn(cluster: Cluster): Promise<void> {
  const name = 'out-of-time';
  await apply(cluster, podManifest({ name, node: 'node-1' }));
  const pods = await readyPods(cluster, [name, 'three']);
  const pod = pods.get(name);
  assert.ok(pod);
  const url = `http://${pods.get('three')?.ip}:8080/`;
  await fetchesFrom(cluster, pod, url, /^three$/);
  await apply(cluster, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'default' },
    spec: { podSelector: { matchLabels: { app: name } }, policyTypes: ['Egress'] },
  });
  await isCutOff(cluster, pod, url);
  await cluster.kubectl(['delete', 'networkpolicy', name]);
  await fetchesFrom(cluster, pod, url, /^three$/);
  await cluster.kubectl(['delete', 'pod', '--now', name]);
}
