// The doctor as a person calls it: on a cluster that has ailments, and on a node of which something is in the way.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type Event, events } from '../../src/calicoctl/events.ts';
import { IpamClient } from '../../src/ipam/index.ts';
import { createNamespace, deleteNamespace, namespacePath } from '../../src/kernel/index.ts';
import {
  type ConfigMap,
  calicoNodeStatuses,
  configMaps,
  ipPools,
  namespaces,
  nodes,
  type Pod,
  pods,
  type Resource,
  services,
} from '../../src/resources/index.ts';
import { podRequest } from '../ipam/cluster.ts';
import { ApiCluster, run } from './api-cluster.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'calicoctl.ts');

interface Told {
  readonly isNode: boolean;
  readonly findings: readonly {
    readonly check: string;
    readonly what: string;
    readonly why: string;
    readonly remedy: string;
  }[];
}

test('a cluster is told what is not well in it, by name and with the remedy, and exit code 1', async () => {
  await using cluster = await ApiCluster.start();
  for (const [name, cidr] of [
    ['a', '10.0.0.0/16'],
    ['b', '10.0.128.0/17'],
  ] as const) {
    await cluster.store.create(ipPools, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name },
      spec: { cidr },
    });
  }
  const annotations = { 'projectcalico.org/IPv4Address': '172.17.0.1/16' };
  for (const name of ['node-1', 'node-2']) {
    await cluster.store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name, annotations } });
    const conditions = [{ type: 'NetworkUnavailable', status: 'False', reason: 'CalicoIsUp' }];
    await cluster.store.mergePatch(nodes, { name }, { status: { conditions } }, { subresource: 'status' });
  }
  const text = await cluster.run(['doctor']);
  assert.equal(text.code, 1, text.stderr);
  assert.match(text.stdout, /^error {3}pools-overlap: Pools "a" and "b" overlap$/m);
  assert.match(text.stdout, /remedy {2}Delete one of them.*calicoctl delete ippool b$/m);
  assert.match(
    text.stdout,
    /^error {3}node-address: Nodes "node-1" and "node-2" are known by the same address/m,
  );
  assert.match(text.stdout, /^Asked \d+ questions: 2 errors, 0 warnings/m);
  await cluster.store.delete(ipPools, { name: 'b' });
  await cluster.store.delete(nodes, { name: 'node-2' });
  const well = await cluster.run(['doctor', '-o', 'json']);
  assert.equal(well.code, 0, well.stdout);
  assert.deepEqual((JSON.parse(well.stdout) as Told).findings, []);
});

test('agents that fail or are of another version, pools that are used up by nobody, and sessions that are down are told of', async () => {
  await using cluster = await ApiCluster.start();
  const { store } = cluster;
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  const agent = { namespace: 'default', name: 'calico-node-x' };
  await store.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...agent, labels: { 'k8s-app': 'calico-node' } },
    spec: { nodeName: 'node-1', containers: [{ name: 'calico-node', image: 'example.com/node:v0.0.1' }] },
  });
  const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
  const containerStatuses = [
    {
      name: 'calico-node',
      ready: false,
      restartCount: 0,
      image: 'example.com/node:v0.0.1',
      imageID: '',
      state: { waiting },
    },
  ];
  await store.mergePatch(pods, agent, { status: { containerStatuses } }, { subresource: 'status' });
  await store.create(ipPools, {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'small' },
    spec: { cidr: '10.9.0.0/30', blockSize: 30 },
  });
  const ipam = new IpamClient(store);
  for (const name of ['one', 'two', 'three', 'four']) await ipam.autoAssign(podRequest(4, name, 'node-1'));
  const status = {
    metadata: { name: 'status' },
    kind: 'CalicoNodeStatus',
    apiVersion: 'projectcalico.org/v3',
  };
  await store.create(calicoNodeStatuses, {
    ...status,
    spec: { node: 'node-1', classes: ['BGP'], updatePeriodSeconds: 10 },
  });
  const numbers = {
    numberEstablishedV6: 0,
    numberNotEstablishedV6: 0,
    numberEstablishedV4: 0,
    numberNotEstablishedV4: 1,
  };
  const peersV4 = [{ peerIP: '192.0.2.9', type: 'NodeMesh', state: 'Active' }];
  await store.mergePatch(
    calicoNodeStatuses,
    { name: 'status' },
    { status: { bgp: { ...numbers, peersV4 } } },
    { subresource: 'status' },
  );
  const { code, stdout } = await cluster.run(['doctor', '-o', 'json']);
  assert.equal(code, 1);
  const { findings } = JSON.parse(stdout) as Told;
  assert.deepEqual(
    findings.map(({ check, what }) => `${check}: ${what}`),
    [
      'agent-not-ready: The program is not ready',
      'versions-differ: Programs of several versions work in this cluster',
      'pool-exhausted: The pool has no address left',
      'addresses-leak: 4 addresses and 0 blocks belong to nobody',
      'bgp-session-down: The BGP session with 192.0.2.9 (NodeMesh) is Active',
    ],
  );
  assert.match(findings[0]?.why ?? '', /ImagePullBackOff: no such image/);
  for (const { remedy } of findings) assert.notEqual(remedy, '');
});

test('a runtime that looks elsewhere for plugins, a pool that kube-proxy does not know and one over Services are told of', async () => {
  await using cluster = await ApiCluster.start();
  const { store } = cluster;
  await store.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1' },
    spec: { podCIDRs: ['10.42.0.0/24'] },
  });
  const conditions = [
    { type: 'NetworkUnavailable', status: 'False', reason: 'CalicoIsUp' },
    { type: 'Ready', status: 'True', reason: 'KubeletReady' },
  ];
  await store.mergePatch(nodes, { name: 'node-1' }, { status: { conditions } }, { subresource: 'status' });
  for (const [name, cidr] of [
    ['default', '192.168.0.0/16'],
    ['services', '10.96.0.0/16'],
  ] as const) {
    await store.create(ipPools, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name },
      spec: { cidr, ...(name === 'services' && { allowedUses: ['LoadBalancer' as const] }) },
    });
  }
  await store.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'kubernetes' },
    spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] },
  });
  const key = { namespace: 'default', name: 'waiting' };
  const pod = await store.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: key,
    spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'example.com/main' }] },
  });
  const event = (reason: string, message: string): Event => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: 'default', name: `waiting.${reason.toLowerCase()}` },
    involvedObject: { kind: 'Pod', ...key, uid: pod.metadata.uid ?? '' },
    reason,
    message,
    lastTimestamp: '2026-01-31T12:00:00Z',
  });
  await store.create(events, event('Scheduled', 'failed to find plugin "other" in path [/nowhere]'));
  await store.create(
    events,
    event(
      'FailedCreatePodSandBox',
      'Failed to create pod sandbox: failed to setup network for sandbox "ab": failed to find plugin "calico" in path [/usr/lib/cni]',
    ),
  );
  const told = async () => {
    const { findings } = JSON.parse((await cluster.run(['doctor', '-o', 'json'])).stdout) as Told;
    return findings.map(({ check, what }) => `${check}: ${what}`);
  };
  const setup =
    "pod-setup-fails: The container runtime looks for Calico's CNI plugin in /usr/lib/cni, and does not find it there";
  const overServices =
    "pool-over-services: The pool's range 10.96.0.0/16 overlaps with that of Services (10.96.0.1/32)";
  assert.deepEqual(await told(), [
    setup,
    "pool-outside-cluster: The pool's range 192.168.0.0/16 is not one that the cluster was told is of pods",
    overServices,
  ]);
  await store
    .create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'kube-system' },
    })
    .catch((error) => assert.equal(error.name, 'AlreadyExistsError'));
  await store.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'kube-system', name: 'kube-proxy' },
    data: { 'config.conf': 'clusterCIDR: 192.168.0.0/16\n' },
  });
  assert.deepEqual(await told(), [setup, overServices]);
});

test('a cluster where Calico enforces policy alone, as its manifest sets it up, misses no pool', async () => {
  await using cluster = await ApiCluster.start();
  const { store } = cluster;
  const manifest = readFileSync(join(import.meta.dirname, '../../manifests/calico-policy-only.yaml'), 'utf8');
  const objects = parseAllDocuments(manifest).map((document) => document.toJS() as Resource);
  const ofKind = <T extends Resource>(kind: string, name: string) =>
    objects.find((object) => object.kind === kind && object.metadata.name === name) as T;
  const namespace = 'calico-system';
  await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  const { template } = ofKind<Resource & { spec: { template: Pod } }>('DaemonSet', 'calico-node').spec;
  const key = { namespace, name: 'calico-node-x' };
  const { labels = {} } = template.metadata;
  await store.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...key, labels },
    spec: { containers: [], ...template.spec, nodeName: 'node-1' },
  });
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  await store.mergePatch(pods, key, { status }, { subresource: 'status' });
  const without = JSON.parse((await cluster.run(['doctor', '-o', 'json'])).stdout) as Told;
  // NO_DEFAULT_POOLS says it already.
  assert.deepEqual(without.findings, []);
  const config = ofKind<ConfigMap>('ConfigMap', 'calico-config');
  await store.create(configMaps, config);
  const { code, stdout } = await cluster.run(['doctor', '-o', 'json']);
  assert.equal(code, 0, stdout);
  assert.deepEqual((JSON.parse(stdout) as Told).findings, []);
  // Where the same plugin calls Calico's address management, there is something amiss.
  const own = config.data?.cni_network_config?.replace('host-local', 'calico-ipam') ?? '';
  await store.mergePatch(
    configMaps,
    { namespace, name: 'calico-config' },
    { data: { cni_network_config: own } },
  );
  const { findings } = JSON.parse((await cluster.run(['doctor', '-o', 'json'])).stdout) as Told;
  assert.deepEqual(
    findings.map(({ check }) => check),
    ['no-pool'],
  );
});

test('a node is told of a firewall in the way, a shadowed CNI configuration and a tunnel that does not fit', async () => {
  const name = `doctor-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'calico-doctor-'));
  createNamespace(name);
  try {
    const inside = (...command: string[]) =>
      execFileSync('nsenter', [`--net=${namespacePath(name)}`, ...command], { encoding: 'utf8' });
    inside('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other');
    inside(
      'ip',
      'link',
      'add',
      'vxlan.calico',
      'mtu',
      '1450',
      'type',
      'vxlan',
      'id',
      '4096',
      'dev',
      'eth0',
      'dstport',
      '4789',
    );
    // Somebody renames the tunnel, and makes the underlay narrower later.
    const note = 'the tunnel of Calico for IPv4';
    inside('ip', 'link', 'set', 'vxlan.calico', 'alias', note, 'name', 'y0');
    inside('ip', 'link', 'set', 'eth0', 'mtu', '1450');
    inside(
      'nft',
      'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }',
    );
    // As distributions close what they do not open, by a rule that comes last.
    inside(
      'nft',
      'add table inet firewalld; add chain inet firewalld f { type filter hook forward priority 10; }',
    );
    inside('nft', 'add rule inet firewalld f tcp dport 22 accept');
    inside('nft', 'add rule inet firewalld f counter reject with icmpx admin-prohibited');
    inside('ip6tables', '-A', 'FORWARD', '-j', 'DROP');
    inside(
      'nft',
      'add table inet calico; add chain inet calico own { type filter hook forward priority 0; policy drop; }',
    );
    for (const sub of ['lib', 'net.d', 'bin']) mkdirSync(join(folder, sub));
    writeFileSync(join(folder, 'lib/nodename'), 'node-1\n');
    for (const plugin of ['calico', 'calico-ipam']) writeFileSync(join(folder, 'bin', plugin), '');
    const plugins = [{ type: 'calico', ipam: { type: 'host-local' } }, { type: 'portmap' }];
    writeFileSync(join(folder, 'net.d/10-calico.conflist'), JSON.stringify({ plugins }));
    writeFileSync(join(folder, 'net.d/05-bridge.conf'), '{"type":"bridge"}');
    const places = [
      '--node-root',
      folder,
      '--cni-net-dir',
      join(folder, 'net.d'),
      '--cni-bin-dir',
      join(folder, 'bin'),
    ];
    const { stdout, stderr, code } = await run([
      'nsenter',
      `--net=${namespacePath(name)}`,
      process.execPath,
      program,
      'doctor',
      '--local',
      ...places,
      '-o',
      'json',
    ]);
    assert.equal(code, 1, stderr);
    const { isNode, findings } = JSON.parse(stdout) as Told;
    assert.equal(isNode, true);
    assert.deepEqual(
      findings.map(({ check, what }) => `${check}: ${what}`),
      [
        'agent-unwell: calico-node does not answer',
        `cni-not-installed: "05-bridge.conf" comes before Calico's "10-calico.conflist"`,
        'cni-not-installed: "10-calico.conflist" calls the CNI plugin "portmap" and "host-local", which is missing',
        'mtu-mismatch: The tunnel is wider than its underlay: "y0" has 1450, and "eth0" has room for 1400',
        'foreign-firewall: Chain "FORWARD" of table "ip filter" drops by default what is forwarded',
        'foreign-firewall: Chain "f" of table "inet firewalld" rejects with its last rule what is forwarded; it is firewalld\'s',
        'foreign-firewall: Chain "FORWARD" of table "ip6 filter" drops with its last rule what is forwarded',
      ],
    );
  } finally {
    deleteNamespace(name);
    rmSync(folder, { recursive: true });
  }
});

test('a node without a tunnel is told of pods that are wider than the link of its default route', async () => {
  const name = `doctor-mtu-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'calico-doctor-'));
  createNamespace(name);
  try {
    const inside = (command: string) =>
      execFileSync('nsenter', [`--net=${namespacePath(name)}`, ...command.split(' ')]);
    inside('ip link add eth0 type veth peer name other');
    inside('ip link add cali123 mtu 9000 type veth peer name pod mtu 9000');
    for (const link of ['lo', 'eth0', 'other', 'cali123']) inside(`ip link set ${link} up`);
    inside('ip address add 192.0.2.1/24 dev eth0');
    inside('ip route add default via 192.0.2.254');
    inside('ip route add 10.1.0.1 dev cali123');
    mkdirSync(join(folder, 'lib'));
    writeFileSync(join(folder, 'lib/nodename'), 'node-1\n');
    writeFileSync(join(folder, 'lib/mtu'), '9000');
    const { stdout, stderr } = await run([
      'nsenter',
      `--net=${namespacePath(name)}`,
      process.execPath,
      program,
      'doctor',
      '--local',
      '--node-root',
      folder,
      '-o',
      'json',
    ]);
    assert.notEqual(stdout, '', stderr);
    const { findings } = JSON.parse(stdout) as Told;
    assert.deepEqual(
      findings.filter(({ check }) => check === 'mtu-mismatch').map(({ what }) => what),
      ['1 pods have a larger MTU (9000) than "eth0" (1500), by which they reach other nodes: cali123'],
    );
  } finally {
    deleteNamespace(name);
    rmSync(folder, { recursive: true });
  }
});

test('a cluster that does not answer, or a kernel that shows nothing, does not hide what the rest has to say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'calico-doctor-'));
  try {
    for (const sub of ['lib', 'net.d', 'bin']) mkdirSync(join(folder, sub));
    writeFileSync(join(folder, 'lib/nodename'), 'node-1\n');
    writeFileSync(join(folder, 'net.d/00-broken.conflist'), '{');
    writeFileSync(join(folder, 'net.d/10-calico.conflist'), '{"plugins":[{"type":"calico"}]}');
    chmodSync(folder, 0o755);
    const places = [
      '--node-root',
      folder,
      '--cni-net-dir',
      `${folder}/net.d`,
      '--cni-bin-dir',
      `${folder}/bin`,
    ];
    const doctor = [process.execPath, program, 'doctor', '-o', 'json', ...places];
    const environment = { K8S_API_ENDPOINT: 'http://127.0.0.1:1' };
    const asRoot = await run(doctor, { environment });
    assert.equal(asRoot.code, 1, asRoot.stderr);
    const { findings } = JSON.parse(asRoot.stdout) as Told;
    assert.deepEqual(
      findings.slice(0, 4).map(({ check, what }) => `${check}: ${what}`),
      [
        'cluster-unread: The cluster could not be looked at',
        'agent-unwell: calico-node does not answer',
        `cni-not-installed: "00-broken.conflist" comes before Calico's "10-calico.conflist"`,
        'cni-not-installed: The CNI plugin "calico" and "calico-ipam" is missing',
      ],
    );
    // Nobody but root may list tables.
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...doctor];
    const asNobody = await run(nobody, { environment });
    assert.equal(asNobody.code, 1, asNobody.stderr);
    const told = JSON.parse(asNobody.stdout) as Told;
    assert.deepEqual(
      told.findings.map(({ check }) => check),
      ['cluster-unread', 'node-unread'],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
