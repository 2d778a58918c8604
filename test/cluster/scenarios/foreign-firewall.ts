// Another tool's firewall that forwards nothing, as Docker and ufw leave it: calicoctl names it on the node, and says what to do.
import assert from 'node:assert/strict';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { fetchesFrom, isCutOff, readyPods } from '../pods.ts';

interface Told {
  readonly findings: readonly { readonly check: string; readonly what: string; readonly remedy: string }[];
}

/** Works with the pods "one" on node-1 and "three" on node-2 of `connectivity`. */
export async function foreignFirewall(cluster: Cluster): Promise<void> {
  const node = cluster.node('node-2');
  const pods = await readyPods(cluster, ['one', 'three']);
  const [one, three] = [pods.get('one'), pods.get('three')];
  assert.ok(one && three);
  const url = `http://${three.ip}:8080/`;

  await doctorTells(cluster, node.name, []);
  await node.run(['iptables', '-P', 'FORWARD', 'DROP']);
  await isCutOff(cluster, one, url);
  await doctorTells(cluster, node.name, [
    'foreign-firewall: Chain "FORWARD" of table "ip filter" drops by default what is forwarded',
  ]);
  await node.run(['iptables', '-P', 'FORWARD', 'ACCEPT']);
  await fetchesFrom(cluster, one, url, /^three$/);
  await doctorTells(cluster, node.name, []);

  // Of the old iptables only its own tools tell.
  await node.run(['iptables-legacy', '-P', 'FORWARD', 'DROP']);
  await isCutOff(cluster, one, url);
  await doctorTells(cluster, node.name, [
    'foreign-firewall: Chain "FORWARD" of the old iptables drops by default; Docker does that',
  ]);
  await node.run(['iptables-legacy', '-P', 'FORWARD', 'ACCEPT']);
  await doctorTells(cluster, node.name, []);
}

/** Resolves once the doctor says this and nothing else: on a machine that is busy, it finds the agent slow, too. */
export function doctorTells(cluster: Cluster, node: string, wanted: readonly string[]): Promise<boolean> {
  return eventually(`the doctor finds ${wanted.join() || 'nothing'} on ${node}`, async () => {
    assert.deepEqual(await findings(cluster, node), wanted);
    return true;
  });
}

/** What the doctor says on the node, called as docs/troubleshooting.md tells. */
async function findings(cluster: Cluster, node: string): Promise<string[]> {
  const pod = await cluster.kubectl([
    'get',
    'pods',
    '--namespace=calico-system',
    '--selector=k8s-app=calico-node',
    `--field-selector=spec.nodeName=${node}`,
    '--output=name',
  ]);
  const command = ['calicoctl', 'doctor', '--local', '--output=json'];
  const text = await cluster
    .kubectl(['exec', '--namespace=calico-system', pod.trim(), '--', ...command])
    .catch((error: Error & { stdout?: string }) => error.stdout ?? '');
  const { findings } = JSON.parse(text) as Told;
  for (const { remedy } of findings) assert.notEqual(remedy, '');
  return findings.map(({ check, what }) => `${check}: ${what}`);
}
