// Conformance: the specification's own client drives the shim and the agent, alone and chained with other plugins.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { CniServer, IpamPlugin, shimPath } from '../../src/cni/index.ts';
import { inNamespace, namespacePath } from '../../src/kernel/index.ts';
import { ipamHandles, nodes } from '../../src/resources/index.ts';
import { ip, ipJson, type TestNamespace, testNamespace } from '../kernel/test-namespaces.ts';
import { type CnitoolCall, cnitool, cnitoolPath } from './cnitool.ts';
import { inside, log, TestNode } from './test-node.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-cnitool-'));
const configurations = join(folder, 'net.d');
const bin = join(folder, 'bin');
const socket = join(folder, 'cni.sock');
const prefix = `ct-${process.pid}`;
const node = await (await TestNode.make()).start();
const server = new CniServer({
  socketPath: socket,
  deletionsPath: join(folder, 'deletions'),
  network: node.network,
  ipam: new IpamPlugin({ node: node.name, datastore: node.datastore, ipam: node.ipam }),
  log,
});
let networks = 0;

before(async () => {
  cnitoolPath();
  for (const path of [configurations, bin]) mkdirSync(path);
  for (const name of ['calico', 'calico-ipam']) symlinkSync(shimPath(), join(bin, name));
  await server.listen();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Attempt {
  readonly network: string;
  readonly pod: string;
  readonly namespace: TestNamespace;
  run(command: string, capabilities?: object): Promise<Record<string, unknown>>;
  /** Of a command that must fail: what was printed. */
  refused(command: string): Promise<string>;
}

const calico = (more: object = {}) => ({
  type: 'calico',
  agent_socket: socket,
  deletions_dir: join(folder, 'deletions'),
  ipam: { type: 'calico-ipam' },
  ...more,
});

async function attempt(cniVersion: string, plugins: readonly object[]): Promise<Attempt> {
  const network = `${prefix}-${++networks}`;
  const pod = `pod-${networks}`;
  await node.createPod(pod);
  const namespace = testNamespace(pod);
  writeFileSync(
    join(configurations, `${network}.conflist`),
    JSON.stringify({ cniVersion, name: network, plugins }),
  );
  const call = (command: string, capabilities?: object): CnitoolCall => ({
    command,
    network,
    namespacePath: namespacePath(namespace.name),
    configurations,
    plugins: [bin, '/usr/lib/cni'],
    args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${pod}`,
    ...(capabilities && { capabilities }),
    spawnOnNode: (start) => inNamespace(node.namespace.fd, start),
  });
  // The client keeps results of its own, which only its "del" takes away.
  after(() => cnitool(call('del')));
  return {
    network,
    pod,
    namespace,
    run: async (command, capabilities) => {
      const { code, stdout, stderr } = await cnitool(call(command, capabilities));
      assert.equal(code, 0, `cnitool ${command}: ${stderr}${stdout}`);
      return stdout.trim() === '' ? {} : JSON.parse(stdout);
    },
    refused: async (command) => {
      const { code, stderr } = await cnitool(call(command));
      assert.notEqual(code, 0, `cnitool ${command} succeeded`);
      return stderr;
    },
  };
}

const handles = async (network: string) =>
  (await node.store.list(ipamHandles)).filter(({ spec }) => spec.handleID.startsWith(`${network}.`)).length;
const hasLink = (name: string) => ipJson(node.namespace, 'link').some(({ ifname }) => ifname === name);

for (const version of ['0.3.1', '0.4.0', '1.0.0', '1.1.0']) {
  test(`a pod comes and goes in version ${version}`, async () => {
    const { run, network, pod } = await attempt(version, [calico()]);
    const result = await run('add');
    assert.equal(result.cniVersion, version);
    assert.equal((result.ips as object[]).length, 1);
    if (version !== '0.3.1') await run('check');
    await run('del');
    await run('del');
    assert.deepEqual([hasLink(interfaceNameOf('shop', pod)), await handles(network)], [false, 0]);
  });
}

test('CHECK fails when other hands were at the pod', async () => {
  const { run, refused, namespace } = await attempt('1.1.0', [calico()]);
  await run('add');
  await run('check');
  ip(namespace, 'route', 'del', 'default');
  assert.match(await refused('check'), /The pod has no route 0\.0\.0\.0\/0 via 169\.254\.1\.1/);
});

test('STATUS succeeds, and GC leaves nothing of the network', async () => {
  const { run, network, pod } = await attempt('1.1.0', [calico()]);
  await run('status');
  await run('add');
  assert.equal(await handles(network), 1);
  await run('gc');
  assert.deepEqual([hasLink(interfaceNameOf('shop', pod)), await handles(network)], [false, 0]);
});

test('portmap and bandwidth work behind it in a chain', async () => {
  const { run, network } = await attempt('1.0.0', [
    calico(),
    { type: 'portmap', snat: true, capabilities: { portMappings: true } },
    { type: 'bandwidth', ingressRate: 1_000_000, ingressBurst: 1_000_000 },
  ]);
  const portMappings = [{ hostPort: 18080, containerPort: 8080, protocol: 'tcp' }];
  const { ips } = await run('add', { portMappings });
  const [address] = (ips as { address: string }[]).map((entry) => entry.address.replace('/32', ''));
  assert.match(
    inside(node.namespace, 'iptables-save', '-t', 'nat'),
    new RegExp(`--to-destination ${address}:8080`),
  );
  assert.match(inside(node.namespace, 'tc', 'qdisc', 'show'), /tbf/);
  await run('del', { portMappings });
  assert.doesNotMatch(inside(node.namespace, 'iptables-save', '-t', 'nat'), /18080/);
  assert.equal(await handles(network), 0);
});

describe('host-local', () => {
  const dataDir = join(folder, 'host-local');
  before(async () => {
    await node.store.create(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: node.name },
      spec: { podCIDR: '10.99.7.0/24', podCIDRs: ['10.99.7.0/24', 'fd99:7::/64'] },
    });
  });

  test("gives addresses of the node's own CIDRs, where the configuration says so", async () => {
    const ranges = [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]];
    const { run, namespace, network } = await attempt('1.1.0', [
      calico({ ipam: { type: 'host-local', dataDir, ranges } }),
    ]);
    const { ips } = await run('add');
    const addresses = (ips as { address: string }[]).map(({ address }) => address);
    assert.match(addresses[0] ?? '', /^10\.99\.7\.\d+\/32$/);
    assert.match(addresses[1] ?? '', /^fd99:7::.*\/128$/);
    assert.match(ip(namespace, 'addr', 'show', 'eth0'), new RegExp(addresses[0] ?? 'none'));
    assert.equal(await handles(network), 0);
    await run('check');
    await run('del');
    const again = await run('add');
    assert.equal((again.ips as object[]).length, 2);
  });

  test('says no in its own words and leaves nothing', async () => {
    const { refused, pod } = await attempt('1.0.0', [
      calico({ ipam: { type: 'host-local', dataDir, subnet: 'nonsense' } }),
    ]);
    assert.match(await refused('add'), /IPAM plugin "host-local" refused ADD.*nonsense/s);
    assert.equal(hasLink(interfaceNameOf('shop', pod)), false);
  });
});

test('another main plugin takes its addresses from calico-ipam', async () => {
  const { run, network } = await attempt('1.0.0', [
    {
      type: 'bridge',
      bridge: 'ct-bridge',
      agent_socket: socket,
      deletions_dir: join(folder, 'deletions'),
      ipam: { type: 'calico-ipam' },
    },
  ]);
  const { ips } = await run('add');
  assert.match((ips as { address: string }[])[0]?.address ?? '', /^10\.20\.0\.\d+\/32$/);
  assert.equal(await handles(network), 1);
  await run('del');
  assert.equal(await handles(network), 0);
});
