// The walk of the demo on real pods: deny everything, see it blocked while kubelet's probes go on; allow one thing; lift it.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Cluster } from '../cluster.ts';
import { apply, fetchesFrom, isCutOff, podManifest, readyPods } from '../pods.ts';

const policy = (name: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'default' },
  spec,
});

/** Works with the pods of `connectivity`. */
export async function denyAll(t: TestContext, cluster: Cluster): Promise<void> {
  const pods = await readyPods(cluster, ['one', 'two', 'three', 'four']);
  const [one, two, three] = ['one', 'two', 'three'].map((name) => pods.get(name));
  assert.ok(one && two && three);
  const url = (address: string) => `http://${address}:8080/`;

  await t.test('denied: on one node, and across nodes', async () => {
    await apply(cluster, policy('deny-all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }));
    await isCutOff(cluster, one, url(two.ip));
    await isCutOff(cluster, one, url(three.ip));
  });
  await t.test('kubelet still reaches the pods that it probes', async () => {
    const restarted = ['two', 'three', 'four'];
    await cluster.kubectl(['delete', 'pod', '--now', ...restarted]);
    await readyAgain(cluster, restarted);
  });
  await t.test('what is allowed on both sides goes through, and nothing else', async () => {
    const now = await readyPods(cluster, ['one', 'two', 'three']);
    const [own, beside, away] = ['one', 'two', 'three'].map((name) => now.get(name));
    assert.ok(own && beside && away);
    await apply(
      cluster,
      policy('from-one', {
        podSelector: { matchLabels: { app: 'one' } },
        egress: [{}],
        policyTypes: ['Egress'],
      }),
      policy('to-three', {
        podSelector: { matchLabels: { app: 'three' } },
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { app: 'one' } } }],
            ports: [{ port: 'http', protocol: 'TCP' }],
          },
        ],
      }),
    );
    await fetchesFrom(cluster, own, url(away.ip), /^three$/);
    await isCutOff(cluster, own, url(beside.ip));
    await isCutOff(cluster, beside, url(away.ip));
  });
  await t.test('lifted, everything goes through again', async () => {
    await cluster.kubectl(['delete', 'networkpolicy', '--all']);
    const now = await readyPods(cluster, ['one', 'two']);
    const [own, beside] = ['one', 'two'].map((name) => now.get(name));
    assert.ok(own && beside);
    await fetchesFrom(cluster, own, url(beside.ip), /^two$/);
  });
}

/** Pods of the same names and places, with probes. */
async function readyAgain(cluster: Cluster, names: readonly string[]): Promise<void> {
  const nodes: Record<string, string> = { two: 'node-1', three: 'node-2', four: 'node-3' };
  await apply(
    cluster,
    ...names.map((name) =>
      podManifest({
        name,
        isProbed: true,
        ...(nodes[name] && { node: nodes[name] }),
        ...(name !== 'two' && { labels: { role: 'web' } }),
      }),
    ),
  );
  await readyPods(cluster, names);
}
