// docs/migrate-from-calico.md, done: a cluster of another Calico's is copied and taken over node by node while its pods talk.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { IpamClient } from '../../src/ipam/index.ts';
import { cidrContains, type Family, formatAddress, parseAddress, parseCidr } from '../../src/net/index.ts';
import { crds, customResourceDefinitions, nodes, pods } from '../../src/resources/index.ts';
import { run, runCalicoctl } from '../calicoctl/api-cluster.ts';
import { HeldConnections } from '../faults/held-connections.ts';
import { proberKey, UpstreamCluster } from './upstream-cluster.ts';
import {
  cartService,
  keyOfPod,
  type UpstreamPod,
  type UpstreamShape,
  upstreamNodes,
  upstreamPods,
} from './upstream-shape.ts';

const { front, db, cart, api } = upstreamPods;
const permitted = [
  [front, cart],
  [cart, front],
  [front, db],
] as const;
const forbidden = [
  [front, api],
  [cart, db],
] as const;
const late: UpstreamPod = { ...front, name: 'late', containerId: 'f'.repeat(64) };

/** The probes alone keep a processor busy: where others want it too, this takes minutes. */
const timeout = 600_000;

const shapes: Readonly<Record<string, UpstreamShape>> = {
  'VXLAN, rules of iptables': { routing: 'vxlan', families: [4], rules: 'iptables-nft' },
  'BGP without an overlay, by BIRD': { routing: 'bird', families: [4, 6], rules: 'iptables-nft' },
  'both families by VXLAN': { routing: 'vxlan', families: [4, 6], rules: 'iptables-nft' },
  'rules of the old iptables': { routing: 'vxlan', families: [4, 6], rules: 'iptables-legacy' },
  'rules of nftables mode': { routing: 'vxlan', families: [4, 6], rules: 'nftables' },
};

for (const [position, [name, shape]] of Object.entries(shapes).entries()) {
  test(`pods keep address, connections and policy while nodes are taken over, one after another: ${name}`, {
    timeout,
  }, async (t) => {
    await using cluster = await UpstreamCluster.start(`test-migrate-${process.pid}-${position}`, shape);
    const { datastore, prober } = cluster;
    const environment = { KUBECONFIG: cluster.api.kubeconfig };
    const calicoctl = (...arguments_: string[]) => runCalicoctl(arguments_, { environment });
    using held = holdConnections(cluster, shape.families);
    const flows = shape.families.flatMap((family) =>
      [...permitted, ...forbidden].map(([from, to]) => ({
        from: proberKey(from, family),
        to: proberKey(to, family),
        port: 53,
      })),
    );
    await prober.ask('startStream', { protocol: 'udp', flows });

    for (const definition of crds()) await datastore.create(customResourceDefinitions, definition);
    const copied = await calicoctl('migrate-from-calico', '--settle', '0');
    assert.equal(copied.code, 0, copied.stderr);
    for (const { name: node } of upstreamNodes) {
      const before = waysOf(cluster, node, shape.families);
      const others = rulesOf(cluster, node).filter((line) => !/cali/i.test(line));
      const told = await leftoversToldOn(cluster, node);
      assert.deepEqual(told.toSorted(), leftoversOf(shape).toSorted());
      await cluster.takeOver(node);
      assert.deepEqual(await leftoversToldOn(cluster, node), []);
      assert.deepEqual(held.speak(), []);
      assert.deepEqual(waysOf(cluster, node, shape.families), before);
      assert.deepEqual(rulesOf(cluster, node), others);
      if (shape.routing === 'vxlan') {
        const ofBird = shape.families.map((family) =>
          cluster.onNode(node, ['ip', `-${family}`, 'route', 'show', 'proto', 'bird']),
        );
        assert.equal(ofBird.join(''), '', 'where no BIRD runs, nobody would take its routes out');
      }
      assert.equal(cluster.onNode(node, ['ipset', 'list', '-name']), '');
    }
    const { lanes } = await prober.ask('stopStream', {});
    for (const { name: lane, sent, arrived, longestLossMs } of lanes) {
      const isForbidden = forbidden.some(([from, to]) =>
        shape.families.some((family) =>
          lane.startsWith(`${proberKey(from, family)} to ${proberKey(to, family)} `),
        ),
      );
      assert.equal(
        arrived,
        isForbidden ? 0 : sent,
        `${lane}: ${arrived} of ${sent} arrived, and none for ${longestLossMs} ms`,
      );
    }
    t.diagnostic(
      `${lanes.reduce((sum, { sent }) => sum + sent, 0)} probes over ${lanes.length} lanes, ${held.count} connections`,
    );

    for (const { metadata, status } of await datastore.list(pods)) {
      const of = Object.values(upstreamPods).find((one) => one.name === metadata.name);
      assert.deepEqual(
        status?.podIPs?.map(({ ip }) => ip),
        shape.families.map((family) => of?.ip[family]),
      );
    }
    const [one] = await datastore.list(nodes);
    const tunnel = one?.metadata.annotations?.['projectcalico.org/IPv4VXLANTunnelAddr'];
    assert.equal(tunnel, shape.routing === 'vxlan' ? '192.168.71.0' : undefined);

    await cluster.createPod(late);
    const given = (await cluster.cni('ADD', late)).map(parseAddress);
    assert.deepEqual(
      given.map(({ family }) => family),
      shape.families,
    );
    const taken = Object.values(upstreamPods).flatMap(({ ip }) => Object.values(ip));
    for (const address of given) {
      assert.ok(cidrContains(parseCidr(upstreamNodes[0].block[address.family]), address));
      assert.ok(!taken.includes(formatAddress(address)));
    }
    assert.deepEqual(held.speak(), []);
    await cluster.cni('DEL', db);
    const ipam = new IpamClient(datastore);
    assert.deepEqual(await ipam.addressesByHandle(`k8s-pod-network.${db.containerId}`), []);
    assert.deepEqual(
      (await ipam.addressesByHandle(`k8s-pod-network.${cart.containerId}`)).map(formatAddress),
      shape.families.map((family) => cart.ip[family]),
    );
    assert.deepEqual(cluster.deaths, []);
  });
}

/** What a dry run on the node says that would be taken out, without the numbers. */
async function leftoversToldOn(cluster: UpstreamCluster, node: string): Promise<string[]> {
  const program = join(import.meta.dirname, '..', '..', 'bin', 'calicoctl.ts');
  const command = [...cluster.within(node), process.execPath, program, 'migrate-from-calico', '--dry-run'];
  const { code, stdout, stderr } = await run(command, {
    environment: { KUBECONFIG: cluster.kubeconfigOf(node) },
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /would take out/);
  return [...stdout.matchAll(/^ {2}(.*)$/gm)].map(([, what = '']) =>
    what.replace(/\d+ (?=chains|rules|IP sets)/g, ''),
  );
}

function leftoversOf({ rules, families }: UpstreamShape): string[] {
  const names = families.map((family) => (family === 4 ? 'ip' : 'ip6'));
  switch (rules) {
    case 'nftables':
      return names.map((name) => `table "${name} calico"`);
    case 'iptables-legacy':
      return [...names.map((name) => `chains and rules of the old ${name}tables`), 'IP sets'];
    case 'iptables-nft':
      return [
        ...names.flatMap((name) =>
          ['raw', 'mangle', 'nat', 'filter'].map((table) => `chains and rules in table "${name} ${table}"`),
        ),
        'IP sets',
      ];
  }
}

/** Both ways between nodes, within one, and by a Service. */
function holdConnections(cluster: UpstreamCluster, families: readonly Family[]): HeldConnections {
  const held = new HeldConnections();
  let port = 9000;
  const hold = (from: UpstreamPod, to: UpstreamPod, family: Family, by?: string) =>
    held.open(
      {
        name: `${keyOfPod(from)} to ${by ?? keyOfPod(to)} IPv${family}`,
        clientNamespace: cluster.namespaceOf(from),
        serverNamespace: cluster.namespaceOf(to),
        serverAddress: to.ip[family],
        ...(by !== undefined && { by }),
      },
      port++,
    );
  for (const family of families) {
    for (const [from, to] of permitted) hold(from, to, family);
    hold(front, cart, family, cartService[family]);
  }
  return held;
}

/** Where routes lead: a route may be told of with more or less words. */
function waysOf(cluster: UpstreamCluster, node: string, families: readonly Family[]): string[] {
  return families.flatMap((family) =>
    cluster
      .onNode(node, ['ip', `-${family}`, 'route', 'show'])
      .split('\n')
      .flatMap((line) => /^(blackhole )?\S+( via \S+)?( dev \S+)?/.exec(line)?.[0] ?? [])
      .toSorted(),
  );
}

/** Of all but our own table, in the order in which they stand. */
function rulesOf(cluster: UpstreamCluster, node: string): string[] {
  const saved = ['iptables-nft-save', 'ip6tables-nft-save', 'iptables-legacy-save', 'ip6tables-legacy-save'];
  const tables = cluster
    .onNode(node, ['nft', 'list', 'tables'])
    .split('\n')
    .filter((line) => !/^table (inet|arp|netdev|bridge) calico/.test(line));
  return [...saved.flatMap((save) => cluster.onNode(node, [save]).split('\n')), ...tables]
    .filter((line) => !line.startsWith('#') && line !== '')
    .map((line) => line.replace(/\[\d+:\d+\]/, ''));
}
