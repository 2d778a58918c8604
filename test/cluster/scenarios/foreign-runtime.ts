// A container runtime that looks for CNI plugins where Calico has put none: pods wait, calicoctl names the folder, from the API server's
// events and on the node from the runtime's own configuration; and when the runtime looks where they are, the pods come.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { pluginFolders } from '../node-configuration.ts';
import { apply, podManifest, readyPods } from '../pods.ts';
import { doctorTells } from './foreign-firewall.ts';

const calicoctl = join(import.meta.dirname, '../../../bin/calicoctl.ts');

/** On a cluster whose nodes have Debian's containerd, and Calico where that looks. */
export async function foreignRuntime(cluster: Cluster): Promise<void> {
  const node = cluster.node('node-3');
  await node.setUpContainerd('upstream');
  try {
    await apply(cluster, podManifest({ name: 'astray', node: node.name }));
    await eventually('the doctor names the folder in which the runtime looks', async () =>
      (await clusterFindings(cluster)).includes(
        `pod-setup-fails: The container runtime looks for Calico's CNI plugin in ${pluginFolders.upstream}, and does not find it there`,
      ),
    );
    await doctorTells(cluster, node.name, [
      `runtime-looks-elsewhere: containerd looks for CNI plugins in ${pluginFolders.upstream}, and Calico's are in ${pluginFolders.debian}`,
    ]);
  } finally {
    await node.setUpContainerd('debian');
  }
  await readyPods(cluster, ['astray']);
  await doctorTells(cluster, node.name, []);
  await cluster.kubectl(['delete', 'pod', '--now', 'astray']);
}

/** What the doctor says when it asks the API server alone, as "check: what". */
async function clusterFindings(cluster: Cluster): Promise<string[]> {
  const text = await cluster.api
    .runClient([process.execPath, calicoctl, 'doctor', '--output=json'])
    .catch((error: Error & { stdout?: string }) => error.stdout ?? '');
  const { findings } = JSON.parse(text) as { findings: { check: string; what: string }[] };
  assert.ok(Array.isArray(findings));
  return findings.map(({ check, what }) => `${check}: ${what}`);
}
