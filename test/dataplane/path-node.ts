// One node in the real kernel with two pods and somebody outside of the cluster, for tests of what becomes of a packet on
// its way: who sees it, and from whom. Both families. Pods have 10.1.0.<n> and fd00:1::<n>, the node 172.30.0.11 and fd30::11,
// the outside 172.30.0.1 and fd30::1.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Calculator } from '../../src/calc/index.ts';
import { ArpTable, LinuxDataplane, NftablesDataplane, PodLinks } from '../../src/dataplane/index.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  InetSocket,
  type InetSocketOptions,
  Nftables,
  namespacePath,
  openNamespace,
  pollReadable,
  Rtnetlink,
  type SocketAddress,
  writeSysctls,
} from '../../src/kernel/index.ts';
import { type IPPoolSpec, nodeAnnotations, type Pod } from '../../src/resources/index.ts';

export type Family = 4 | 6;
export type Place = 'a' | 'b' | 'node' | 'outside';
type Options = Partial<ConstructorParameters<typeof NftablesDataplane>[1]>;

export const families: readonly Family[] = [4, 6];

export const addressOf: Readonly<Record<Place, Readonly<Record<Family, string>>>> = {
  a: { 4: '10.1.0.1', 6: 'fd00:1::1' },
  b: { 4: '10.1.0.2', 6: 'fd00:1::2' },
  node: { 4: '172.30.0.11', 6: 'fd30::11' },
  outside: { 4: '172.30.0.1', 6: 'fd30::1' },
};

type ContainerPorts = NonNullable<NonNullable<NonNullable<Pod['spec']>['containers']>[number]['ports']>;

const pods = ['a', 'b'] as const;

/** How long a packet that must arrive may take, and how long one that must not is waited for. */
const arrivalMs = 10_000;
const absenceMs = 100;

export class PathNode {
  readonly calculator = new Calculator({ node: 'node-1', onFault: (fault) => assert.fail(fault) });
  readonly nftables: NftablesDataplane;
  readonly arp: ArpTable;
  readonly rtnetlink: Rtnetlink;
  readonly #prefix: string;
  readonly #namespaces = new Map<Place, number>();
  readonly #names: string[] = [];
  readonly #kernel: Nftables;
  readonly #dataplane: LinuxDataplane;

  static async make(name: string, options: Options = {}): Promise<PathNode> {
    const node = new PathNode(`ct-${process.pid}-${name}`, options);
    try {
      await node.#addPods();
      return node;
    } catch (error) {
      node.remove();
      throw error;
    }
  }

  private constructor(prefix: string, options: Options) {
    this.#prefix = prefix;
    for (const place of ['node', 'outside', ...pods] as const) this.#namespaces.set(place, this.#add(place));
    this.#wire();
    const namespace = this.namespace('node');
    writeSysctls(namespace, { 'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1 });
    this.rtnetlink = Rtnetlink.open({ namespace });
    this.#kernel = Nftables.open({ namespace });
    this.nftables = new NftablesDataplane(this.#kernel, {
      logPrefix: 'calico-packet',
      endpointToHostAction: 'Accept',
      forgetJudgements: async () => {},
      onTrouble: (error) => assert.fail(String(error)),
      onIsolated: (_, error) => assert.fail(String(error)),
      ...options,
    });
    this.arp = new ArpTable(this.#kernel, this.nftables.isOwned);
    this.#dataplane = new LinuxDataplane({
      nftables: this.nftables,
      arp: this.arp,
      overlays: [],
      onOverlayFaults() {},
    });
    this.calculator.setNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 't' } });
    this.calculator.setNode({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: 'node-1',
        annotations: {
          [nodeAnnotations.ipv4Address]: '172.30.0.11/24',
          [nodeAnnotations.ipv6Address]: 'fd30::11/64',
        },
      },
    });
    for (const pod of pods) this.setPod(pod);
    this.apply();
  }

  /** File descriptor. */
  namespace(place: Place): number {
    return this.#namespaces.get(place) ?? assert.fail(`there is no "${place}"`);
  }

  namespacePath(place: Place): string {
    return namespacePath(`${this.#prefix}-${place}`);
  }

  setPod(name: 'a' | 'b', annotations: Record<string, string> = {}, ports: ContainerPorts = []): void {
    const [ip, ip6] = [addressOf[name][4], addressOf[name][6]];
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 't', name, uid: `uid-${name}`, labels: { name }, annotations },
      spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'any', ports }] },
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }, { ip: ip6 }] },
    };
    this.calculator.setPod(pod);
  }

  setPools(...specs: IPPoolSpec[]): void {
    for (const [n, spec] of specs.entries()) {
      this.calculator.setPool({
        apiVersion: 'projectcalico.org/v3',
        kind: 'IPPool',
        metadata: { name: `pool-${n}` },
        spec,
      });
    }
    this.apply();
  }

  apply(): void {
    this.#dataplane.apply(this.calculator.state, this.calculator.takeChanges());
  }

  reconfigure(options: Options): void {
    this.nftables.reconfigure(options);
    this.apply();
  }

  linkOf(pod: 'a' | 'b'): string {
    const program = this.calculator.state.endpoints.get(`t/${pod}`);
    return program?.interfaceName ?? assert.fail(`pod ${pod} is not known`);
  }

  socket(place: Place, options: Omit<InetSocketOptions, 'namespace'>): InetSocket {
    return InetSocket.open({ ...options, namespace: this.namespace(place) });
  }

  /** Runs a program in a place's namespace. */
  run(place: Place, program: string, ...args: string[]): string {
    return execFileSync('nsenter', [`--net=${this.namespacePath(place)}`, program, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Feeds another's rules to `nft` in a place's namespace. */
  nft(place: Place, script: string): void {
    execFileSync('nsenter', [`--net=${this.namespacePath(place)}`, 'nft', '-f', '-'], { input: script });
  }

  /** Whom the receiver of a datagram from one place to another sees as its sender. @throws when none arrives */
  senderSeen(from: Place, to: Place, family: Family, port = 7000, target?: SocketAddress): SocketAddress {
    return (
      this.#exchange(from, to, family, port, arrivalMs, target) ?? assert.fail(`${from} does not reach ${to}`)
    );
  }

  /** Whether a datagram gets from one place to another. */
  reaches(from: Place, to: Place, family: Family, port = 7000, target?: SocketAddress): boolean {
    return this.#exchange(from, to, family, port, absenceMs, target) !== undefined;
  }

  remove(): void {
    this.rtnetlink?.close();
    this.#kernel?.close();
    for (const namespace of this.#namespaces.values()) closeNamespace(namespace);
    for (const name of this.#names) deleteNamespace(name);
  }

  #exchange(
    from: Place,
    to: Place,
    family: Family,
    port: number,
    waitMs: number,
    target?: SocketAddress,
  ): SocketAddress | undefined {
    using receiver = this.socket(to, { family, type: 'datagram' });
    using sender = this.socket(from, { family, type: 'datagram' });
    receiver.bind({ address: addressOf[to][family], port });
    sender.bind({ address: addressOf[from][family], port: 0 });
    // Sent again now and then: what waits for a neighbour that is not there yet may be lost.
    for (let waitedMs = 0; waitedMs < waitMs; waitedMs += absenceMs) {
      sender.sendTo(Buffer.from('hello'), target ?? { address: addressOf[to][family], port });
      if (pollReadable([receiver], absenceMs).length > 0) break;
    }
    return receiver.receiveFrom()?.from;
  }

  async #addPods(): Promise<void> {
    const links = new PodLinks(this.rtnetlink, this.namespace('node'));
    for (const pod of pods) {
      const link = await links.attach({
        interfaceName: this.linkOf(pod),
        podInterfaceName: 'eth0',
        podNamespacePath: this.namespacePath(pod),
        addresses: [addressOf[pod][4], addressOf[pod][6]],
        mtu: 1400,
        allowIpForwarding: false,
        defaultRoutes: true,
        owner: `t/${pod}`,
      });
      links.open(link);
    }
    // Neighbours are found and addresses are settled before anybody waits for an answer.
    for (const family of families) this.senderSeen('a', 'outside', family);
  }

  #wire(): void {
    const ip = (place: Place, ...lines: string[]) =>
      execFileSync('ip', ['-n', `${this.#prefix}-${place}`, '-batch', '-'], {
        input: `${lines.join('\n')}\n`,
      });
    ip(
      'node',
      'link set lo up',
      `link add eth0 type veth peer name eth0 netns ${this.#prefix}-outside`,
      'link set eth0 up',
      'addr add 172.30.0.11/24 dev eth0',
      'addr add fd30::11/64 dev eth0 nodad',
      'route add default via 172.30.0.1',
    );
    ip(
      'outside',
      'link set lo up',
      'link set eth0 up',
      'addr add 172.30.0.1/24 dev eth0',
      'addr add fd30::1/64 dev eth0 nodad',
      'route add 10.0.0.0/8 via 172.30.0.11',
      'route add fd00::/16 via fd30::11',
    );
    ip('node', 'route add default via fd30::1');
    for (const pod of pods) ip(pod, 'link set lo up');
  }

  #add(suffix: string): number {
    const name = `${this.#prefix}-${suffix}`;
    createNamespace(name);
    this.#names.push(name);
    const namespace = openNamespace(namespacePath(name));
    // Nobody else can have these addresses.
    writeSysctls(namespace, { 'net/ipv6/conf/default/accept_dad': 0, 'net/ipv6/conf/all/accept_dad': 0 });
    return namespace;
  }
}
