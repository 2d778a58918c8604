// A pool without an address left, and a node that is deleted with all its pods on it.
import type { TestContext } from 'node:test';
import { addressesOfPods, untilAddressesAgree } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import { apply, fetchesFrom, podManifest, readyPods } from '../pods.ts';
import { doctorTells } from './doctor.ts';

/** Works with the pod "one" of `connectivity`. */
export async function addressesRunOut(t: TestContext, cluster: Cluster): Promise<void> {
  await t.test('a full pool: a pod waits and says why, and starts when an address frees', async () => {
    await apply(cluster, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name: 'four-addresses' },
      spec: { cidr: '10.77.0.0/30', blockSize: 30, vxlanMode: 'Always', assignmentMode: 'Manual' },
    });
    const names = ['full-0', 'full-1', 'full-2', 'full-3'];
    const pod = (name: string) =>
      podManifest({
        name,
        node: 'node-1',
        annotations: { 'cni.projectcalico.org/ipv4pools': '["four-addresses"]' },
      });
    await apply(cluster, ...names.map(pod));
    await readyPods(cluster, names);
    await apply(cluster, pod('waits'));
    await eventually('an event of the pod says that its pool is full', async () => {
      const events = await cluster.kubectl([
        'get',
        'events',
        '--field-selector=involvedObject.name=waits,type=Warning',
        '--output=jsonpath={.items[*].message}',
      ]);
      return (
        /Cannot assign 1 IPv4 address .*no block has 1 free address in .*four-addresses/s.test(events) ||
        fail(events)
      );
    });
    await doctorTells(cluster, 'the cluster', [
      {
        finding: 'pod-setup-fails: Pods could not be set up when that was last tried',
        where: 'node "node-1", pods default/waits',
        remedy: /^See what calico-node says of it/,
      },
      {
        finding: 'pool-exhausted: The pool has no address left',
        where: 'pool "four-addresses" (10.77.0.0/30)',
        remedy: /add another pool/,
      },
    ]);
    await cluster.kubectl(['delete', 'pod', '--now', 'full-2']);
    await readyPods(cluster, ['waits']);
    await cluster.kubectl(['delete', 'pod', '--now', 'waits', ...names.filter((name) => name !== 'full-2')]);
    await untilAddressesAgree(cluster);
    await cluster.kubectl(['delete', 'ippool', 'four-addresses', '--timeout=60s']);
  });

  await t.test('a node is deleted without drain: its addresses come back after the grace', async () => {
    const grace = { spec: { controllers: { node: { leakGracePeriod: '10s' } } } };
    await cluster.kubectl([
      'patch',
      'kubecontrollersconfiguration',
      'default',
      '--type=merge',
      `--patch=${JSON.stringify(grace)}`,
    ]);
    await cluster.node('node-3').powerOff();
    await cluster.kubectl(['delete', 'node', 'node-3']);
    await eventually(
      'no block is claimed by the node, and no address given to a pod of it',
      async () => {
        const claims = await cluster.kubectl([
          'get',
          'blockaffinities',
          '--output=jsonpath={.items[*].spec.node}',
        ]);
        if (claims.split(' ').includes('node-3')) throw new Error(`blocks are claimed by ${claims}`);
        const { given, held } = await addressesOfPods(cluster);
        const lost = [...given.keys()].filter((ip) => !held.has(ip));
        return lost.length === 0 || fail(`nobody has ${lost.join(', ')}`);
      },
      { deadlineMs: 300_000, everyMs: 1_000 },
    );
  });

  await t.test('the node joins again, with pods that reach the others', async () => {
    await cluster.reboot('node-3');
    await eventually('the node is registered', () => cluster.kubectl(['get', 'node', 'node-3']));
    await calicoIsReady(cluster);
    await apply(cluster, podManifest({ name: 'again', node: 'node-3' }));
    const pods = await readyPods(cluster, ['one', 'again']);
    const [one, again] = [pods.get('one'), pods.get('again')];
    if (!one || !again) throw new Error('There is no pod "one", or none "again"');
    await fetchesFrom(cluster, one, `http://${again.ip}:8080/`, /^again$/);
    await untilAddressesAgree(cluster);
  });
}

function fail(why: string): never {
  throw new Error(why);
}
