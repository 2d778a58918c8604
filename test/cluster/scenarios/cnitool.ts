// Conformance of the installed plugin: the CNI project's own client against a node's agent, in every version that is claimed,
// several at once, with wrong input, and with the API server away.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { cnitoolPath } from '../../cni/cnitool.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import type { ClusterNode } from '../node.ts';
import { apply, podManifest } from '../pods.ts';
import { CommandError } from '../run-command.ts';

const versions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];
const configurations = '/etc/cni/cnitool.d';
const namespaces = '/run/netns/';

export async function cnitool(t: TestContext, cluster: Cluster): Promise<void> {
  const client = new Client(cluster, cluster.node('node-2'));
  const handles = () =>
    cluster.kubectl(['get', 'ipamhandles', '--output=jsonpath={.items[*].spec.handleID}']);
  const isFree = (network: string) =>
    eventually('no address is given any more', async () => !(await handles()).includes(network));

  for (const version of versions) {
    await t.test(`add, check and del in version ${version}`, async () => {
      const network = await client.configure(version);
      const container = await client.container(network);
      const result = JSON.parse(await client.call('add', network, container));
      assert.equal(result.cniVersion, version);
      const pair = await client.linkOf(container);
      assert.match(pair, /^cali/);
      assert.ok((await handles()).includes(network));
      if (isFrom(version, '0.4.0')) await client.call('check', network, container);
      else
        await assert.rejects(client.call('check', network, container), /does not support the CHECK command/);
      await client.call('del', network, container);
      await client.call('del', network, container);
      assert.ok(!(await client.links()).includes(pair));
      await isFree(network);
      await client.remove(container);
    });
  }
  await t.test('status and gc', async () => {
    const network = await client.configure('1.1.0');
    const container = await client.container(network);
    await client.call('status', network, container);
    await client.call('add', network, container);
    await client.call('gc', network, container);
    await isFree(network);
    await client.remove(container);
  });
  await t.test('eight at once', async () => {
    const network = await client.configure('1.1.0');
    const names = Array.from({ length: 8 }, (_, index) => `${network}-${index}`);
    const containers = await Promise.all(names.map((name) => client.container(name)));
    const results = await Promise.all(
      containers.map(async (container) => JSON.parse(await client.call('add', network, container))),
    );
    const addresses = results.flatMap(({ ips }) => ips.map(({ address }: { address: string }) => address));
    assert.equal(new Set(addresses).size, containers.length, addresses.join());
    await Promise.all(containers.map((container) => client.call('del', network, container)));
    await isFree(network);
    for (const container of containers) await client.remove(container);
  });
  await t.test("wrong input gets the specification's error codes", async () => {
    for (const [code, environment, stdin] of wrong) {
      const { stdout } = await client.plugin(environment, stdin);
      assert.deepEqual([JSON.parse(stdout).code, environment, stdin], [code, environment, stdin], stdout);
    }
  });
  await t.test('del while the API server is away cleans the node, and the address comes back', async () => {
    const network = await client.configure('1.1.0');
    const container = await client.container(network);
    await client.call('add', network, container);
    const pair = await client.linkOf(container);
    await cluster.api.stopServer();
    try {
      await client.call('del', network, container);
      assert.ok(!(await client.links()).includes(pair));
    } finally {
      await cluster.api.restartServer();
    }
    await isFree(network);
    await client.remove(container);
  });
}

const configuration = JSON.stringify({ cniVersion: '1.1.0', name: 'wrong', type: 'calico' });
const right = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'wrong-input',
  CNI_NETNS: '/run/netns/wrong-input',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
  CNI_ARGS: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=wrong-input',
};
/** The code, and what gets it. */
const wrong: readonly (readonly [number, Readonly<Record<string, string>>, string])[] = [
  [1, right, configuration.replace('1.1.0', '9.9.9')],
  [2, right, configuration.replace('}', ',"device_type":"tap"}')],
  [4, { ...right, CNI_COMMAND: 'PLUG' }, configuration],
  [4, { ...right, CNI_CONTAINERID: '' }, configuration],
  [4, { ...right, CNI_IFNAME: '' }, configuration],
  [4, { ...right, CNI_NETNS: '' }, configuration],
  [6, right, '{'],
  [7, right, configuration.replace('"wrong"', '""')],
];

/** cnitool on a node, as a container runtime would be there. */
class Client {
  readonly #cluster: Cluster;
  readonly #node: ClusterNode;
  #networks = 0;

  constructor(cluster: Cluster, node: ClusterNode) {
    this.#cluster = cluster;
    this.#node = node;
  }

  /**
   * The installed configuration under another name and in that version; returns the name. In 1.1.0 it is ours alone, because the
   * plugins that distributions have do not speak it.
   */
  async configure(version: string): Promise<string> {
    const network = `tool-${++this.#networks}`;
    const installed = JSON.parse(await this.#node.run(['cat', '/etc/cni/net.d/10-calico.conflist']));
    const plugins = version === '1.1.0' ? installed.plugins.slice(0, 1) : installed.plugins;
    const conflist = JSON.stringify({ ...installed, plugins, name: network, cniVersion: version });
    const write = `mkdir -p ${configurations} && cat >${configurations}/${network}.conflist`;
    await this.#node.run(['sh', '-c', write], conflist);
    return network;
  }

  /** Makes a pod that no kubelet cares for, whose container is no more than a network namespace; returns that one's path. */
  async container(name: string): Promise<string> {
    const { spec, ...pod } = podManifest({ name });
    await apply(this.#cluster, { ...pod, spec: { ...spec, schedulerName: 'nobody' } });
    await this.#node.run(['ip', 'netns', 'add', name]);
    return namespaces + name;
  }

  async remove(container: string): Promise<void> {
    const name = container.slice(namespaces.length);
    await this.#node.run(['ip', 'netns', 'delete', name]);
    await this.#cluster.kubectl(['delete', 'pod', '--now', name]);
  }

  call(command: string, network: string, container: string): Promise<string> {
    const pod = container.slice(namespaces.length);
    const environment = [
      `NETCONFPATH=${configurations}`,
      'CNI_PATH=/opt/cni/bin',
      'CNI_IFNAME=eth0',
      `CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}`,
    ];
    return this.#node.run(['env', ...environment, cnitoolPath(), command, network, container]);
  }

  /** What the plugin itself prints when it fails. */
  async plugin(environment: Readonly<Record<string, string>>, stdin: string): Promise<{ stdout: string }> {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    try {
      return { stdout: await this.#node.run(['env', ...variables, '/opt/cni/bin/calico'], stdin) };
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
  }

  /** The name of the node's end of the container's link. */
  async linkOf(container: string): Promise<string> {
    const show = ['ip', '-json', 'link', 'show'] as const;
    const [{ link_index: index }] = JSON.parse(
      await this.#node.run(['nsenter', `--net=${container}`, ...show, 'eth0']),
    );
    const links: { ifindex: number; ifname: string }[] = JSON.parse(await this.#node.run(show));
    return links.find(({ ifindex }) => ifindex === index)?.ifname ?? '';
  }

  async links(): Promise<string[]> {
    const links: { ifname: string }[] = JSON.parse(await this.#node.run(['ip', '-json', 'link', 'show']));
    return links.map(({ ifname }) => ifname);
  }
}

function isFrom(version: string, first: string): boolean {
  return version.localeCompare(first, 'en', { numeric: true }) >= 0;
}
