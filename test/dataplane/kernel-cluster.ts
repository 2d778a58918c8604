// Two nodes in the real kernel, programmed by our own calculation and dataplane: namespaces for nodes and pods, a bridge as
// the underlay, VXLAN between the nodes, both families. What the CNI server and the watches would do is done by hand.
// Pod number i has the addresses 10.1.0.<i+1> and fd00:1::<i+1>, wherever it lives.
import assert from 'node:assert/strict';
import { Calculator } from '../../src/calc/index.ts';
import {
  defaultPath,
  HostInterfaces,
  LinuxDataplane,
  NftablesDataplane,
  type PathOptions,
  type PodLink,
  PodLinks,
  VxlanOverlay,
} from '../../src/dataplane/index.ts';
import {
  addAddress,
  addBridge,
  addVeth,
  closeNamespace,
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
  Rtnetlink,
  setLink,
  writeSysctls,
} from '../../src/kernel/index.ts';
import type { Transport } from '../../src/lab/matrix/matrix.ts';
import { Prober } from '../../src/lab/prober/client.ts';
import type { LaneReport, ProbeProtocol } from '../../src/lab/prober/messages.ts';
import {
  type Cluster,
  evaluate,
  type Packet,
  type WorkloadEndpoint,
  workloadEndpointOf,
} from '../../src/policy/index.ts';
import {
  type IPAMBlock,
  type IPPool,
  keyOf,
  type Node,
  nodeAnnotations,
  type Pod,
} from '../../src/resources/index.ts';
import { stepsToward } from '../policy/cluster-steps.ts';
import { type Overtaken, overtakeAll } from './overtake.ts';

const podCount = 6;
const ports = [79, 80, 81, 82, 83] as const;
const transports: readonly Transport[] = ['tcp', 'udp', 'sctp'];
/** Types and codes that rules of the generator tell apart, as type * 256 + code. All of them open a flow. */
const icmpMessages = { 4: [8 << 8, (8 << 8) | 1, 13 << 8], 6: [128 << 8, (128 << 8) | 1] } as const;
const families = [4, 6] as const;
const addressOf = {
  4: (index: number) => `10.1.0.${index + 1}`,
  6: (index: number) => `fd00:1::${index + 1}`,
};

export class KernelNode {
  readonly name: string;
  readonly number: number;
  readonly namespace: number;
  readonly rtnetlink: Rtnetlink;
  readonly calculator: Calculator;
  readonly dataplane: LinuxDataplane;
  readonly links: PodLinks;
  readonly nftables: Nftables;
  readonly table: NftablesDataplane;
  readonly #interfaces: Disposable;
  /** Addresses of the node's interfaces, as the kernel's events have told. */
  readonly interfaces = new Map<string, readonly string[]>();
  readonly #waiting: (() => void)[] = [];

  constructor(number: number, path: string, isOvertaken: boolean, denyAction: PathOptions['denyAction']) {
    this.name = `node-${number}`;
    this.number = number;
    this.namespace = openNamespace(path);
    this.rtnetlink = Rtnetlink.open({ namespace: this.namespace });
    this.nftables = Nftables.open({ namespace: this.namespace });
    this.links = new PodLinks(this.rtnetlink, this.namespace);
    this.calculator = new Calculator({ node: this.name, onFault: (fault) => assert.fail(fault) });
    const parent = this.rtnetlink.link('eth0')?.index ?? assert.fail('the node has no underlay');
    const overlays = families.map(
      (family) =>
        new VxlanOverlay(this.rtnetlink, {
          family,
          nodeAddress: underlayAddress(number, family),
          tunnelAddress: tunnelAddress(number, family),
          mac: tunnelMac(number, family),
          parent,
          mtu: 1400,
          vni: 4096,
          port: 4789,
        }),
    );
    const nftables = new NftablesDataplane(this.nftables, {
      logPrefix: 'calico-packet',
      endpointToHostAction: 'Accept',
      path: { ...defaultPath, denyAction, vxlan: { port: 4789, families } },
      forgetJudgements: async () => {},
      // Then nothing is remembered, and every packet is judged.
      ...(isOvertaken && { packetsInFlight: () => new Promise(() => {}) }),
      onTrouble: (error) => assert.fail(String(error)),
    });
    this.table = nftables;
    this.dataplane = new LinuxDataplane({
      nftables,
      overlays,
      onOverlayFaults: (faults) => assert.deepEqual(faults, []),
    });
    this.#interfaces = new HostInterfaces({
      rtnetlink: this.rtnetlink,
      namespace: this.namespace,
    }).watch((name, addresses) => {
      if (addresses) this.interfaces.set(name, addresses);
      else this.interfaces.delete(name);
      this.calculator.setInterface(name, addresses);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** Resolves when the node has been told of its interfaces what is waited for. */
  async hears(isSo: (interfaces: ReadonlyMap<string, readonly string[]>) => boolean): Promise<void> {
    while (!isSo(this.interfaces)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  apply(): void {
    this.dataplane.apply(this.calculator.state, this.calculator.takeChanges());
  }

  close(): void {
    this.#interfaces[Symbol.dispose]();
    this.rtnetlink.close();
    this.nftables.close();
    closeNamespace(this.namespace);
  }
}

const underlayAddress = (number: number, family: 4 | 6) =>
  family === 4 ? `172.30.0.1${number}` : `fd30::1${number}`;
const tunnelAddress = (number: number, family: 4 | 6) =>
  family === 4 ? `10.1.0.4${number}` : `fd00:1::4${number}`;
const tunnelMac = (number: number, family: 4 | 6) => `66:00:00:00:0${family}:0${number}`;

export interface KernelClusterOptions {
  /** Every packet is to fare as if a change had overtaken it, and so in the second case that what is asked before it is routed was not asked before the change. */
  readonly overtaken?: Overtaken;
  /** What befalls what policy denies; dropped when absent. */
  readonly denyAction?: PathOptions['denyAction'];
}

/** For whoever tries the same both ways: what to add to a title, and the options. */
export const overtakenOrNot: readonly (readonly [string, KernelClusterOptions])[] = [
  ['', {}],
  [', also of packets that a change has overtaken', { overtaken: 'anywhere' }],
];

export class KernelCluster {
  readonly nodes: KernelNode[] = [];
  readonly #prefix: string;
  readonly #overtaken: Overtaken | undefined;
  readonly #denyAction: PathOptions['denyAction'];
  readonly #namespaces: string[] = [];
  /** One per family: a prober's nodes all have addresses of one. */
  readonly #probers = new Map<4 | 6, Prober>();
  #cluster: Cluster = { namespaces: [], pods: [], networkPolicies: [] };
  readonly #links = new Map<string, { readonly node: KernelNode; readonly link: PodLink }>();

  static async make(name: string, options: KernelClusterOptions = {}): Promise<KernelCluster> {
    const cluster = new KernelCluster(`ct-${process.pid}-${name}`, options);
    try {
      await cluster.#make();
      return cluster;
    } catch (error) {
      await cluster.remove();
      throw error;
    }
  }

  private constructor(prefix: string, { overtaken, denyAction = 'Drop' }: KernelClusterOptions) {
    this.#prefix = prefix;
    this.#overtaken = overtaken;
    this.#denyAction = denyAction;
  }

  async remove(): Promise<void> {
    for (const prober of this.#probers.values()) await prober.close();
    for (const node of this.nodes) node.close();
    for (const name of this.#namespaces) deleteNamespace(name);
  }

  nodeNamespacePath(number: number): string {
    return namespacePath(`${this.#prefix}-n${number}`);
  }

  podNamespacePath(index: number): string {
    return namespacePath(`${this.#prefix}-p${index}`);
  }

  /** Turns the cluster that is there into another: objects one by one, links of pods that stay untouched. */
  async become(cluster: Cluster): Promise<void> {
    const before = this.#cluster;
    const isSame = (a: object | undefined, b: object) => JSON.stringify(a) === JSON.stringify(b);
    const find = <T extends Pod>(list: readonly T[], key: string) =>
      list.find((object) => keyOf(object) === key);
    for (const pod of before.pods) {
      if (!isSame(find(cluster.pods, keyOf(pod)), pod)) await this.#removePod(pod);
    }
    const steps = stepsToward(before, cluster);
    for (const node of this.nodes) {
      for (const step of steps) step(node.calculator);
      // The nodes of the case are not those of the kernel: theirs have tunnels.
      for (const number of [1, 2]) node.calculator.setNode(nodeObject(number, cluster));
      node.calculator.setBlock(blockOf(cluster, 4));
      node.calculator.setBlock(blockOf(cluster, 6));
      node.apply();
    }
    for (const pod of cluster.pods) await this.#addPod(pod);
    this.#cluster = cluster;
    // What connections remember is part of what is tried.
    for (const node of this.nodes) {
      if (this.#overtaken) overtakeAll(node.nftables, this.#overtaken);
      else await node.table.settled();
    }
  }

  /** Probes every pair of running pods on every port and with several ICMP messages, and demands of every cell what the evaluator says. Returns how many there were. */
  async check(what: string): Promise<number> {
    let cells = 0;
    for (const family of families) {
      for (const protocol of transports) {
        for (const port of ports) cells += await this.#checkPort(family, protocol, port, what);
      }
      for (const message of icmpMessages[family])
        cells += await this.#checkPort(family, 'icmp', message, what);
    }
    return cells;
  }

  /** Probes one port; returns the pairs that reached it: "0>1". */
  async reach(family: 4 | 6, protocol: ProbeProtocol, port: number): Promise<string[]> {
    const present = this.#cluster.pods.filter((pod) => workloadEndpointOf(pod) !== undefined).map(indexOf);
    const pods = present.map((index) => ({ key: `${index}/${family}`, port }));
    const result = await this.#probers.get(family)?.ask('probe', { protocol, pods });
    return (result?.open ?? []).map(([from, to]) => `${present[from]}>${present[to]}`).sort();
  }

  /** Begins to probe flows by UDP without pause, in a process of its own: "from" and "to" are numbers of pods. */
  async startStream(
    family: 4 | 6,
    flows: readonly { readonly from: number; readonly to: number; readonly port: number }[],
  ): Promise<void> {
    const named = flows.map(({ from, to, port }) => ({
      from: `${from}/${family}`,
      to: `${to}/${family}`,
      port,
    }));
    await this.#probers.get(family)?.ask('startStream', { protocol: 'udp', flows: named });
  }

  /** Ends the stream and tells how each of its lanes fared. */
  async stopStream(family: 4 | 6): Promise<readonly LaneReport[]> {
    return (await this.#probers.get(family)?.ask('stopStream', {}))?.lanes ?? [];
  }

  /** Goes on until every flow of the stream has turned, then ends it. Rejects, and names them, when some have not by the deadline. */
  async endStream(family: 4 | 6, verdict: 'open' | 'blocked', deadlineMs: number): Promise<void> {
    await this.#probers.get(family)?.ask('endStream', { verdict, deadlineMs });
  }

  async #checkPort(family: 4 | 6, protocol: ProbeProtocol, port: number, what: string): Promise<number> {
    const open = new Set(await this.reach(family, protocol, port));
    const present = this.#cluster.pods.filter((pod) => workloadEndpointOf(pod) !== undefined).map(indexOf);
    let cells = 0;
    for (const from of present) {
      for (const to of present) {
        const verdict = evaluate(this.#cluster, {
          source: addressOf[family](from),
          destination: addressOf[family](to),
          ...packetOf(family, protocol, port),
        });
        const actual = open.has(`${from}>${to}`) ? 'Allow' : 'Deny';
        cells++;
        if (actual === verdict.action) continue;
        assert.fail(
          `${what}: pod-${from} to pod-${to} by ${protocol}/${port} over IPv${family}: the kernel says ${actual}, ` +
            `the evaluator ${verdict.action}: ${verdict.reasons.join('; ')}\n${JSON.stringify(this.#cluster)}`,
        );
      }
    }
    return cells;
  }

  async #addPod(pod: Pod): Promise<void> {
    const node = this.nodes.find(({ name }) => name === pod.spec?.nodeName);
    const endpoint = workloadEndpointOf(pod);
    if (!node || !endpoint || this.#links.has(keyOf(pod))) return;
    const index = indexOf(pod);
    const link = await node.links.attach({
      interfaceName: interfaceOf(node, endpoint),
      podInterfaceName: 'eth0',
      podNamespacePath: this.podNamespacePath(index),
      addresses: endpoint.addresses,
      mtu: 1400,
      allowIpForwarding: false,
      defaultRoutes: true,
      owner: 'test',
    });
    node.links.open(link);
    this.#links.set(keyOf(pod), { node, link });
  }

  async #removePod(pod: Pod): Promise<void> {
    for (const node of this.nodes) node.calculator.deletePod(keyOf(pod));
    for (const node of this.nodes) node.apply();
    const attached = this.#links.get(keyOf(pod));
    this.#links.delete(keyOf(pod));
    await attached?.node.links.detach(attached.link.interfaceName);
  }

  async #make(): Promise<void> {
    const underlay = openNamespace(this.#addNamespace('u'));
    using rtnetlink = Rtnetlink.open({ namespace: underlay });
    rtnetlink.apply(addBridge({ name: 'br0', up: true }));
    const bridge = rtnetlink.link('br0')?.index ?? assert.fail('there is no bridge');
    for (const number of [1, 2]) {
      const path = this.#addNamespace(`n${number}`);
      const namespace = openNamespace(path);
      const peer = { name: 'eth0', mtu: 1500, namespace };
      rtnetlink.apply(addVeth({ name: `n${number}`, mtu: 1500, up: true, master: bridge, peer }));
      this.#prepareNode(number, namespace);
      closeNamespace(namespace);
      this.nodes.push(new KernelNode(number, path, this.#overtaken !== undefined, this.#denyAction));
    }
    closeNamespace(underlay);
    for (const node of this.nodes) {
      for (const number of [1, 2]) node.calculator.setNode(nodeObject(number, {}));
      for (const family of families) node.calculator.setPool(poolObject(family));
      node.apply();
    }
    for (const family of families) {
      const prober = new Prober(this.#prefix);
      this.#probers.set(family, prober);
      for (const node of this.nodes) {
        await prober.ask('addNode', {
          name: `${node.name}/${family}`,
          namespacePath: this.nodeNamespacePath(node.number),
          address: tunnelAddress(node.number, family),
        });
      }
    }
    for (let index = 0; index < podCount; index++) this.#addNamespace(`p${index}`);
  }

  /** Opens the probe servers of all pods, on the nodes where they live now. Call after `become`, before `check`. */
  async listen(): Promise<void> {
    for (const pod of this.#cluster.pods) {
      const index = indexOf(pod);
      for (const family of families) {
        const key = `${index}/${family}`;
        await this.#probers.get(family)?.ask('removePod', { key });
        if (!workloadEndpointOf(pod)) continue;
        await this.#probers.get(family)?.ask('addPod', {
          key,
          node: `${pod.spec?.nodeName}/${family}`,
          namespacePath: this.podNamespacePath(index),
          ip: addressOf[family](index),
          listen: transports.flatMap((protocol) => ports.map((port) => ({ protocol, port }))),
        });
      }
    }
    // Neighbours are found before anybody measures by what does not arrive.
    for (const family of families) await this.reach(family, 'udp', ports[0]);
  }

  #prepareNode(number: number, namespace: number): void {
    writeSysctls(namespace, { 'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1 });
    using rtnetlink = Rtnetlink.open({ namespace });
    const link = rtnetlink.link('eth0')?.index ?? assert.fail('the node has no underlay');
    rtnetlink.apply(setLink('lo', { up: true }));
    rtnetlink.apply(setLink(link, { up: true }));
    rtnetlink.apply(addAddress({ link, address: underlayAddress(number, 4), prefixLength: 24 }));
    rtnetlink.apply(addAddress({ link, address: underlayAddress(number, 6), prefixLength: 64, noDad: true }));
  }

  #addNamespace(suffix: string): string {
    const name = `${this.#prefix}-${suffix}`;
    createNamespace(name);
    this.#namespaces.push(name);
    const namespace = openNamespace(namespacePath(name));
    using rtnetlink = Rtnetlink.open({ namespace });
    rtnetlink.apply(setLink('lo', { up: true }));
    closeNamespace(namespace);
    return namespacePath(name);
  }
}

function packetOf(
  family: 4 | 6,
  protocol: ProbeProtocol,
  port: number,
): Omit<Packet, 'source' | 'destination'> {
  if (protocol !== 'icmp')
    return { protocol: protocol.toUpperCase() as Uppercase<Transport>, destinationPort: port };
  return { protocol: family === 4 ? 'ICMP' : 'ICMPv6', icmp: { type: port >> 8, code: port & 0xff } };
}

function interfaceOf(node: KernelNode, endpoint: WorkloadEndpoint): string {
  const program = node.calculator.state.endpoints.get(`${endpoint.namespace}/${endpoint.pod}`);
  return program?.interfaceName ?? assert.fail(`${endpoint.pod} is not known on ${node.name}`);
}

/** "pod-3" is number 3. */
function indexOf(pod: Pod): number {
  return Number(pod.metadata.name.replace(/^pod-/, ''));
}

function nodeObject(number: number, { nodes = [] }: Pick<Cluster, 'nodes'>): Node {
  const told = nodes.find(({ metadata }) => metadata.name === `node-${number}`);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `node-${number}`,
      ...(told?.metadata.labels && { labels: told.metadata.labels }),
      annotations: {
        [nodeAnnotations.ipv4Address]: `${underlayAddress(number, 4)}/24`,
        [nodeAnnotations.ipv6Address]: `${underlayAddress(number, 6)}/64`,
        [nodeAnnotations.ipv4VxlanTunnelAddress]: tunnelAddress(number, 4),
        [nodeAnnotations.ipv6VxlanTunnelAddress]: tunnelAddress(number, 6),
        [nodeAnnotations.vxlanTunnelMac]: tunnelMac(number, 4),
        [nodeAnnotations.vxlanTunnelMacV6]: tunnelMac(number, 6),
      },
    },
    ...(told?.status && { status: told.status }),
  };
}

function poolObject(family: 4 | 6): IPPool {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: `pool-${family}` },
    spec: { cidr: family === 4 ? '10.1.0.0/16' : 'fd00:1::/64', vxlanMode: 'Always' },
  };
}

/** One block for all, of node-1: whatever lives on node-2 has borrowed its address, its tunnel's among them. */
function blockOf({ pods }: Cluster, family: 4 | 6): IPAMBlock {
  const holders = new Map(pods.map((pod) => [indexOf(pod) + 1, pod.spec?.nodeName ?? '']));
  for (const number of [1, 2]) holders.set(family === 4 ? 40 + number : 0x40 + number, `node-${number}`);
  const size = 128;
  const allocations: (number | null)[] = new Array(size).fill(null);
  const attributes = [...holders].map(([ordinal, node], attribute) => {
    allocations[ordinal] = attribute;
    return { handle_id: `handle-${ordinal}`, secondary: { node } };
  });
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMBlock',
    metadata: { name: `block-${family}` },
    spec: {
      cidr: family === 4 ? '10.1.0.0/25' : 'fd00:1::/121',
      affinity: 'host:node-1',
      allocations,
      attributes,
      unallocated: [],
      strictAffinity: false,
      sequenceNumber: 0,
    },
  };
}
