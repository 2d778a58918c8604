// docs/migrate-from-calico.md, done: a cluster of another Calico's is copied and taken over node by node while its pods talk.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpamClient } from '../../src/ipam/index.ts';
import { formatAddress } from '../../src/net/index.ts';
import { crds, customResourceDefinitions, nodes, pods } from '../../src/resources/index.ts';
import { runCalicoctl } from '../calicoctl/api-cluster.ts';
import { HeldConnections } from '../faults/held-connections.ts';
import { UpstreamCluster, type UpstreamPod, upstreamPods } from './upstream-cluster.ts';

const { front, db, cart, api } = upstreamPods;
const keyOfPod = ({ namespace, name }: UpstreamPod) => `${namespace}/${name}`;
const permitted = [
  [front, cart],
  [cart, front],
  [front, db],
] as const;
const forbidden = [
  [front, api],
  [cart, db],
] as const;
const late: UpstreamPod = { ...front, name: 'late', ip: '', containerId: 'f'.repeat(64) };

test('pods keep address, connections and policy while nodes are taken over, one after another', async (t) => {
  await using cluster = await UpstreamCluster.start(`test-migrate-${process.pid}`);
  const { datastore, prober } = cluster;
  const calicoctl = (...arguments_: string[]) =>
    runCalicoctl(arguments_, { environment: { KUBECONFIG: cluster.api.kubeconfig } });
  using held = new HeldConnections();
  for (const [position, [from, to]] of permitted.entries()) {
    held.open(
      {
        name: `${keyOfPod(from)} to ${keyOfPod(to)}`,
        clientNamespace: cluster.namespaceOf(from),
        serverNamespace: cluster.namespaceOf(to),
        serverAddress: to.ip,
      },
      9000 + position,
    );
  }
  const flows = [...permitted, ...forbidden].map(([from, to]) => ({
    from: keyOfPod(from),
    to: keyOfPod(to),
    port: 53,
  }));
  await prober.ask('startStream', { protocol: 'udp', flows });

  for (const definition of crds()) await datastore.create(customResourceDefinitions, definition);
  const copied = await calicoctl('migrate-from-calico', '--settle', '0');
  assert.equal(copied.code, 0, copied.stderr);
  for (const node of ['node-1', 'node-2']) {
    const before = cluster.onNode(node, 'ip', 'route', 'show');
    await cluster.takeOver(node);
    assert.deepEqual(held.speak(), []);
    // A route may be told of with more or less words; where it leads is the same.
    const ways = (text: string) =>
      text
        .split('\n')
        .map((line) => /^(blackhole )?\S+( via \S+)?( dev \S+)?/.exec(line)?.[0])
        .filter((way) => way && !way.startsWith('blackhole'));
    assert.deepEqual(ways(cluster.onNode(node, 'ip', 'route', 'show')), ways(before));
    const rules = cluster.onNode(node, 'iptables-nft-save');
    assert.doesNotMatch(rules, /cali/);
    assert.match(rules, /-A PREROUTING .*-j KUBE-SERVICES/);
  }
  const { lanes } = await prober.ask('stopStream', {});
  for (const { name, sent, arrived } of lanes) {
    const isForbidden = forbidden.some(([from, to]) =>
      name.startsWith(`${keyOfPod(from)} to ${keyOfPod(to)} `),
    );
    assert.equal(arrived, isForbidden ? 0 : sent, `${name}: ${arrived} of ${sent} arrived`);
  }
  t.diagnostic(`${lanes.reduce((sum, { sent }) => sum + sent, 0)} probes`);

  for (const { metadata, status } of await datastore.list(pods)) {
    assert.equal(status?.podIP, Object.values(upstreamPods).find(({ name }) => name === metadata.name)?.ip);
  }
  const [one] = await datastore.list(nodes);
  assert.equal(one?.metadata.annotations?.['projectcalico.org/IPv4VXLANTunnelAddr'], '192.168.71.0');

  await cluster.createPod(late);
  assert.deepEqual(await cluster.cni('ADD', late), ['192.168.71.3']);
  assert.deepEqual(held.speak(), []);
  await cluster.cni('DEL', db);
  const ipam = new IpamClient(datastore);
  assert.deepEqual(await ipam.addressesByHandle(`k8s-pod-network.${db.containerId}`), []);
  assert.deepEqual((await ipam.addressesByHandle(`k8s-pod-network.${cart.containerId}`)).map(formatAddress), [
    cart.ip,
  ]);
  assert.deepEqual(cluster.deaths, []);
});
