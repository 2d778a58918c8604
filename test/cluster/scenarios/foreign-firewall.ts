// Another tool's firewall that forwards nothing, as Docker and ufw leave it: calicoctl names it on the node, and says what to do.
import assert from 'node:assert/strict';
import type { Cluster } from '../cluster.ts';
import { fetchesFrom, isCutOff, readyPods } from '../pods.ts';
import { doctorTells } from './doctor.ts';

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
    {
      finding: 'foreign-firewall: Chain "FORWARD" of table "ip filter" drops by default what is forwarded',
      where: 'node "node-2"',
      remedy: /^Let it accept packets of pods: .*"iptables -P FORWARD ACCEPT"/,
    },
  ]);
  await node.run(['iptables', '-P', 'FORWARD', 'ACCEPT']);
  await fetchesFrom(cluster, one, url, /^three$/);
  await doctorTells(cluster, node.name, []);

  // Of the old iptables only its own tools tell.
  await node.run(['iptables-legacy', '-P', 'FORWARD', 'DROP']);
  await isCutOff(cluster, one, url);
  await doctorTells(cluster, node.name, [
    {
      finding: 'foreign-firewall: Chain "FORWARD" of the old iptables drops by default; Docker does that',
      where: 'node "node-2"',
      remedy: /^Let it accept packets of pods: .*"iptables -P FORWARD ACCEPT"/,
    },
  ]);
  await node.run(['iptables-legacy', '-P', 'FORWARD', 'ACCEPT']);
  await doctorTells(cluster, node.name, []);
}
