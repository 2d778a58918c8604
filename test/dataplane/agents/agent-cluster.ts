// Three nodes with the real calico-node on each, which live through any number of clusters, one after another: objects come
// and go in the embedded API server, as people and kubelets would write them, and whoever waits is told when every node's
// kernel holds what a calculation from nothing makes of them. Only links of pods are made by hand: what the CNI server does
// is proved elsewhere, and would be most of the work here.
import { execFileSync } from 'node:child_process';
import { interfaceNameOf } from '../../../src/calc/index.ts';
import { defaultPath, HostInterfaces, PodLinks } from '../../../src/dataplane/index.ts';
import {
  addAddress,
  addRoute,
  addVeth,
  closeNamespace,
  createNamespace,
  type NewRoute,
  openNamespace,
  Rtnetlink,
  setLink,
} from '../../../src/kernel/index.ts';
import { Agent } from '../../../src/lab/agents.ts';
import { LabApi, nodeKubeconfig } from '../../../src/lab/api.ts';
import { registerNode } from '../../../src/lab/kubelet/node-status.ts';
import { ReadyNodes } from '../../../src/lab/ready-nodes.ts';
import { leftovers, removeRun } from '../../../src/lab/run/cleanup.ts';
import { runVariable } from '../../../src/lab/run/processes.ts';
import { createRun, namespacePrefix, nodeRoot, type Run } from '../../../src/lab/run/run.ts';
import { Underlay } from '../../../src/lab/underlay.ts';
import { type Cluster, workloadEndpointOf } from '../../../src/policy/index.ts';
import {
  crds,
  customResourceDefinitions,
  type IPAMBlock,
  ipamBlocks,
  keyOf,
  type Pod,
} from '../../../src/resources/index.ts';
import { ExpectedTable } from './expected-table.ts';
import { hosts, nodeNames, type Place, podCount, podNode, pod as podPlace } from './places.ts';
import { StoredObjects } from './stored-objects.ts';

const environment = {
  IP6: 'autodetect',
  CALICO_IPV4POOL_CIDR: '10.1.0.0/16',
  CALICO_IPV4POOL_VXLAN: 'Always',
  CALICO_IPV6POOL_CIDR: 'fd00:1::/64',
  CALICO_IPV6POOL_VXLAN: 'Always',
  CALICO_NETWORKING_BACKEND: 'vxlan',
};
/** Tells whom its policies deny, where the others say nothing: who gets through is the same. */
const rejectingNode = 'node-2';
const readyDeadlineMs = 60_000;

interface Node {
  readonly name: string;
  readonly namespace: number;
  readonly rtnetlink: Rtnetlink;
  readonly links: PodLinks;
  readonly interfaces: Map<string, readonly string[]>;
  readonly table: ExpectedTable;
  readonly watch: { close(): void };
}

export class AgentCluster {
  readonly #run: Run;
  readonly #agents: Agent[] = [];
  readonly #nodes = new Map<string, Node>();
  readonly #deaths: string[] = [];
  /** Links that there are, by the pod's key: what they were made for. */
  readonly #links = new Map<string, { readonly node: Node; readonly name: string; readonly text: string }>();
  #underlay: Underlay | undefined;
  #api: LabApi | undefined;
  #objects: StoredObjects | undefined;

  /** Resolves with every agent ready. @throws Error when they are not in time */
  static async start(id: string): Promise<AgentCluster> {
    const cluster = new AgentCluster(createRun(id));
    try {
      await cluster.#begin();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  private constructor(run: Run) {
    this.#run = run;
  }

  /** Nothing of it is left when this resolves. @throws Error when something is */
  async stop(): Promise<void> {
    for (const { watch, table, rtnetlink } of this.#nodes.values()) {
      watch.close();
      table.close();
      rtnetlink.close();
    }
    await Promise.all(this.#agents.map((agent) => agent.stop()));
    await this.#api?.close();
    this.#underlay?.close();
    await removeRun(this.#run);
    const left = leftovers(this.#run.id);
    if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}`);
  }

  /** Of its network namespace. */
  pathOf({ name }: Place): string {
    return `/run/netns/${namespacePrefix(this.#run.id)}.${name}`;
  }

  /** Addresses of a node's own interfaces, by name. */
  interfacesOf(node: string): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(this.#node(node).interfaces);
  }

  /** Sets a node's services up: input of `nft -f`. */
  nft(node: string, script: string): void {
    const path = `--net=/run/netns/${namespacePrefix(this.#run.id)}.${node}`;
    execFileSync('nsenter', [path, 'nft', '-f', '-'], {
      input: script,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
  }

  /**
   * Turns the cluster that is there into another, whose pods live where places.ts has them, and resolves when every kernel holds it. Returns the cluster as it is then:
   * nodes have what their agents have written. @throws Error when an agent died, or did not come there in time
   */
  async become(cluster: Cluster): Promise<Cluster> {
    for (const [key, link] of this.#links) {
      const still = cluster.pods.find((pod) => keyOf(pod) === key);
      if (!still || linkText(still) !== link.text) await this.#removeLink(key);
    }
    const stored = await this.#store().become(cluster);
    for (const pod of cluster.pods) await this.#addLink(pod);
    const calculation = await this.#store().calculation();
    for (const node of this.#nodes.values()) {
      const { path = defaultPath } = calculation.options;
      const denyAction = node.name === rejectingNode ? 'Reject' : 'Drop';
      const own = {
        ...calculation,
        options: { ...calculation.options, path: { ...path, denyAction } },
      } as const;
      await node.table.reached(own, node.interfaces, () => this.#deaths);
    }
    return stored;
  }

  #node(name: string): Node {
    const node = this.#nodes.get(name);
    if (!node) throw new RangeError(`There is no node "${name}"`);
    return node;
  }

  #store(): StoredObjects {
    if (!this.#objects) throw new Error('The cluster has not come up');
    return this.#objects;
  }

  async #addLink(pod: Pod): Promise<void> {
    const endpoint = workloadEndpointOf(pod);
    const key = keyOf(pod);
    if (!endpoint || this.#links.has(key)) return;
    const node = this.#node(endpoint.node ?? '');
    const name = interfaceNameOf(endpoint.namespace, endpoint.pod);
    const link = await node.links.attach({
      interfaceName: name,
      podInterfaceName: 'eth0',
      podNamespacePath: this.pathOf(podPlace(indexOf(pod))),
      addresses: endpoint.addresses,
      mtu: 1400,
      allowIpForwarding: false,
      defaultRoutes: true,
      owner: 'test',
    });
    node.links.open(link);
    this.#links.set(key, { node, name, text: linkText(pod) });
  }

  async #removeLink(key: string): Promise<void> {
    const known = this.#links.get(key);
    this.#links.delete(key);
    await known?.node.links.detach(known.name);
  }

  async #begin(): Promise<void> {
    const prefix = namespacePrefix(this.#run.id);
    const underlay = Underlay.make(prefix, nodeNames.length);
    this.#underlay = underlay;
    this.#wire(underlay, prefix);
    const report = () => {};
    const api = await LabApi.start(this.#run, underlay, report);
    this.#api = api;
    for (const definition of crds()) await api.datastore.create(customResourceDefinitions, definition);
    for (const { name, address } of underlay.nodes) await registerNode(api.datastore, name, address);
    for (const family of [4, 6] as const) await api.datastore.create(ipamBlocks, blockOf(family));
    for (const name of nodeNames) {
      this.#agents.push(
        new Agent({
          node: name,
          root: nodeRoot(this.#run, name),
          kubeconfig: nodeKubeconfig(this.#run, name),
          environment: {
            ...environment,
            ...(name === rejectingNode && { FELIX_NFTABLESFILTERDENYACTION: 'Reject' }),
            [runVariable]: this.#run.id,
          },
          spawnOnNode: underlay.onNode(name),
          died: (message) => this.#deaths.push(message),
        }),
      );
    }
    const ready = new ReadyNodes(api.datastore, report);
    const patience = { deadlineMs: readyDeadlineMs, signal: new AbortController().signal };
    await ready.waitFor(nodeNames, patience).finally(() => ready.stop());
    if (this.#deaths.length > 0) throw new Error(this.#deaths.join('\n'));
    this.#objects = new StoredObjects(api);
    for (const name of nodeNames) this.#watch(name, underlay.node(name).namespace);
  }

  #watch(name: string, namespace: number): void {
    const rtnetlink = Rtnetlink.open({ namespace });
    const interfaces = new Map<string, readonly string[]>();
    const watch = new HostInterfaces({ rtnetlink, namespace }).watch((link, addresses) => {
      if (addresses) interfaces.set(link, addresses);
      else interfaces.delete(link);
    });
    const links = new PodLinks(rtnetlink, namespace);
    const table = new ExpectedTable(name, namespace);
    this.#nodes.set(name, { name, namespace, rtnetlink, links, interfaces, table, watch });
  }

  /** Second addresses, the two machines that are no nodes, the routes that are nobody's but the network's, and namespaces for pods. */
  #wire(underlay: Underlay, prefix: string): void {
    const outside = underlay.addMachine('outside', 99);
    createNamespace(`${prefix}.behind`);
    const behind = openNamespace(`/run/netns/${prefix}.behind`);
    const first = underlay.node('node-1').namespace;
    configure(first, (netlink) =>
      netlink.apply(addVeth({ name: 'eth1', up: true, peer: { name: 'eth0', namespace: behind } })),
    );
    for (const [index, name] of nodeNames.entries()) {
      const { namespace } = underlay.node(name);
      give(namespace, 'eth0', [[`fd30::${11 + index}`, 64]]);
      if (index === 0) continue;
      route(namespace, 'eth0', '10.9.0.0/24', '172.30.0.11');
      route(namespace, 'eth0', 'fd09::/64', 'fd30::11');
    }
    give(first, 'eth1', [
      ['10.9.0.1', 24],
      ['fd09::1', 64],
    ]);
    give(behind, 'eth0', [
      ['10.9.0.2', 24],
      ['fd09::2', 64],
    ]);
    route(behind, 'eth0', '0.0.0.0/0', '10.9.0.1');
    route(behind, 'eth0', '::/0', 'fd09::1');
    give(outside.namespace, 'eth0', [['fd30::99', 64]]);
    route(outside.namespace, 'eth0', '10.9.0.0/24', '172.30.0.11');
    route(outside.namespace, 'eth0', 'fd09::/64', 'fd30::11');
    for (let index = 0; index < podCount; index++) {
      underlay.makePodNamespace(`pod-${index}`);
      const host = hosts.find(({ name }) => name === podNode(index));
      if (!host) continue;
      const { addresses } = podPlace(index);
      route(outside.namespace, 'eth0', `${addresses[4]}/32`, host.addresses[4]);
      route(outside.namespace, 'eth0', `${addresses[6]}/128`, host.addresses[6]);
    }
    closeNamespace(behind);
    closeNamespace(outside.namespace);
  }
}

function configure(namespace: number, change: (netlink: Rtnetlink) => void): void {
  using netlink = Rtnetlink.open({ namespace });
  change(netlink);
}

function linkIn(netlink: Rtnetlink, name: string): number {
  const link = netlink.link(name);
  if (!link) throw new Error(`The link "${name}" is not there although it was just made`);
  return link.index;
}

function give(namespace: number, name: string, addresses: readonly (readonly [string, number])[]): void {
  configure(namespace, (netlink) => {
    const link = linkIn(netlink, name);
    netlink.apply(setLink(linkIn(netlink, 'lo'), { up: true }));
    netlink.apply(setLink(link, { up: true }));
    for (const [address, prefixLength] of addresses)
      netlink.apply(addAddress({ link, address, prefixLength, noDad: true }));
  });
}

function route(namespace: number, name: string, destination: string, via: string): void {
  configure(namespace, (netlink) =>
    netlink.apply(
      addRoute({ destination, via, link: linkIn(netlink, name), protocol: 3 } satisfies NewRoute),
    ),
  );
}

/** "pod-3" is number 3. */
function indexOf({ metadata }: Pod): number {
  return Number(metadata.name.replace(/^pod-/, ''));
}

/** Pods with the same text have the same link. */
function linkText(pod: Pod): string {
  return JSON.stringify([
    keyOf(pod),
    pod.metadata.uid,
    pod.metadata.annotations,
    workloadEndpointOf(pod) !== undefined,
  ]);
}

/** One block for all pods, full, of node-1: whatever lives elsewhere has borrowed its address. */
function blockOf(family: 4 | 6): IPAMBlock {
  const size = 64;
  const attributes = nodeNames.map((node) => ({ handle_id: `test-${node}`, secondary: { node } }));
  const holderOf = (ordinal: number) =>
    ordinal >= 1 && ordinal <= podCount ? nodeNames.indexOf(podNode(ordinal - 1) as 'node-1') : 0;
  const cidr = family === 4 ? '10.1.0.0/26' : 'fd00:1::/122';
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMBlock',
    metadata: { name: cidr.replaceAll(/[.:/]/g, '-') },
    spec: {
      cidr,
      affinity: 'host:node-1',
      allocations: Array.from({ length: size }, (_, ordinal) => holderOf(ordinal)),
      attributes,
      unallocated: [],
      strictAffinity: false,
      sequenceNumber: 0,
    },
  };
}
