// Nodes that speak BGP, in namespaces: real agents with real BIRDs on an in-memory store, and routers that are not ours.
// No pods and no policy: those are the lab's. Both families.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  adoptRoutes,
  BgpAgent,
  bgpPaths,
  birdRoutes,
  birdStatus,
  keepPeeringAddresses,
  unreadyReasons,
} from '../../src/bgp/index.ts';
import { MemoryDatastore } from '../../src/datastore/index.ts';
import {
  addAddress,
  addVeth,
  deleteNamespace,
  inNamespace,
  namespacePath,
  Rtnetlink,
  setLink,
  writeSysctls,
} from '../../src/kernel/index.ts';
import {
  type ExternalRouter,
  type RouterKind,
  type RouterNeighbor,
  startRouter,
} from '../../src/lab/router/index.ts';
import { Underlay } from '../../src/lab/underlay.ts';
import { createLogger } from '../../src/process/index.ts';
import { blockAffinities, ipPools, nodes } from '../../src/resources/index.ts';
import { affinity, pool, testNode } from './test-cluster.ts';

const run = promisify(execFile);
const deadlineMs = 40_000;
const routerHost = 2;

export interface KernelRoute {
  readonly dst: string;
  readonly type?: string;
  readonly gateway?: string;
  readonly protocol?: string;
  readonly metric?: number;
  readonly nexthops?: readonly { readonly gateway: string }[];
}

export class BgpLab implements AsyncDisposable {
  readonly datastore = new MemoryDatastore();
  readonly names: readonly string[];
  readonly #prefix: string;
  readonly #underlay: Underlay;
  readonly #folder: string;
  readonly #agents = new Map<string, BgpAgent>();
  readonly #routerNamespace: number;
  #router: ExternalRouter | undefined;

  private constructor(id: string, count: number) {
    this.#prefix = `calico-bgp-${id}-${process.pid}`;
    // FRR runs as another user and must get in.
    this.#folder = mkdtempSync('/run/calico-bgp-');
    chmodSync(this.#folder, 0o711);
    this.#underlay = Underlay.make(this.#prefix, count);
    this.names = this.#underlay.nodes.map(({ name }) => name);
    const router = this.#underlay.addMachine('tor', routerHost);
    this.#routerNamespace = router.namespace;
    const hosts = [...this.#underlay.nodes.map(({ name }) => this.#underlay.node(name)), router];
    for (const { namespace, address } of hosts) {
      using netlink = Rtnetlink.open({ namespace });
      const link = netlink.link('eth0')?.index ?? 0;
      netlink.apply(addAddress({ link, address: sixOf(address), prefixLength: 64, noDad: true }));
    }
  }

  /** Makes the nodes and their objects: node N has block 192.168.N.0/26, of a pool without an overlay. */
  static async make(id: string, count: number): Promise<BgpLab> {
    const lab = new BgpLab(id, count);
    await lab.datastore.create(ipPools, pool('192.168.0.0/16'));
    await lab.datastore.create(ipPools, pool('fd10::/48'));
    for (const [index, { name, address }] of lab.#underlay.nodes.entries()) {
      const number = index + 1;
      const annotations = {
        'projectcalico.org/IPv4Address': `${address}/24`,
        'projectcalico.org/IPv6Address': `${sixOf(address)}/64`,
      };
      await lab.datastore.create(nodes, testNode(number, { annotations }));
      await lab.datastore.create(blockAffinities, affinity(blockOf(number), name));
      await lab.datastore.create(blockAffinities, affinity(sixBlockOf(number), name));
    }
    return lab;
  }

  /** Where the router is: "172.30.0.2" and its like of IPv6. */
  get routerAddresses(): readonly [string, string] {
    const four = `172.30.0.${routerHost}`;
    return [four, sixOf(four)];
  }

  address(name: string): string {
    return this.#underlay.node(name).address;
  }

  startAgents(names: readonly string[] = this.names, bird = 'bird'): void {
    for (const name of names) {
      const root = join(this.#folder, name);
      mkdirSync(root, { recursive: true });
      // BIRD belongs to the node's namespace, the agent to ours.
      const program = join(root, 'bird');
      if (bird === 'bird') writeFileSync(program, this.birdProgram(name), { mode: 0o755 });
      const agent = new BgpAgent({
        node: name,
        namespace: 'kube-system',
        datastore: this.datastore,
        paths: bgpPaths(root),
        program: bird === 'bird' ? program : bird,
        hasRoutesToRecover: () => {
          using netlink = Rtnetlink.open({ namespace: this.#underlay.node(name).namespace });
          return netlink.routes().some(({ protocol }) => protocol === 12);
        },
        adoptRoutes: (metric) => {
          using netlink = Rtnetlink.open({ namespace: this.#underlay.node(name).namespace });
          adoptRoutes(netlink, metric);
        },
        hearPodsAt: (addresses) => {
          using netlink = Rtnetlink.open({ namespace: this.#underlay.node(name).namespace });
          keepPeeringAddresses(netlink, addresses);
        },
        log: createLogger('test', 'silent'),
      });
      agent.start();
      this.#agents.set(name, agent);
    }
  }

  /** A script that starts BIRD in the node's namespace. */
  birdProgram(name: string): string {
    return `#!/bin/sh\nexec nsenter --net=${this.#namespaceOf(name)} bird "$@"\n`;
  }

  async stopAgent(name: string): Promise<void> {
    await this.#agents.get(name)?.stop();
    this.#agents.delete(name);
  }

  /** Forgets an agent as if its process had been killed: its BIRD goes on by itself. */
  abandonAgent(name: string): void {
    this.#agents.get(name)?.abandon();
    this.#agents.delete(name);
  }

  async startRouter(
    kind: RouterKind,
    options: {
      asNumber: number;
      networks: string[];
      password?: string;
    },
  ) {
    const { asNumber, networks, password } = options;
    const neighbors = this.#underlay.nodes.flatMap(({ address }) =>
      [address, sixOf(address)].map(
        (neighbor): RouterNeighbor => ({
          address: neighbor,
          asNumber: 64512,
          ...(password !== undefined && { password }),
        }),
      ),
    );
    const namespace = this.#routerNamespace;
    this.#router = await startRouter(kind, {
      spawn: (start) => inNamespace(namespace, start),
      folder: join(this.#folder, 'router'),
      environment: {},
      asNumber,
      routerId: this.routerAddresses[0],
      neighbors,
      networks,
    });
    return this.#router;
  }

  paths(name: string) {
    return bgpPaths(join(this.#folder, name));
  }

  status(name: string) {
    return birdStatus(this.paths(name).socket);
  }

  /** What BIRD knows of a destination, and from whom. */
  async knownWays(name: string, destination: string): Promise<(string | undefined)[]> {
    const routes = await birdRoutes(this.paths(name).socket);
    return routes
      .filter((route) => route.destination === destination)
      .map(({ source, peer }) => peer ?? source);
  }

  /** Resolves when every session of these nodes is up, and there is one at least. */
  async established(names: readonly string[] = this.names): Promise<void> {
    for (const name of names) {
      await this.until(`every session of ${name} is up`, async () => {
        const status = await this.status(name);
        return status.sessions.length > 0 && unreadyReasons(status).length === 0;
      });
    }
  }

  /** What the kernel of a node, or of "tor", holds. */
  async kernelRoutes(name: string, family: 4 | 6 = 4): Promise<KernelRoute[]> {
    return JSON.parse(await this.inside(name, 'ip', [`-${family}`, '-j', 'route', 'show'])) as KernelRoute[];
  }

  /** Runs a program in the namespace of a node, or of "tor", and returns what it prints. */
  async inside(name: string, program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', [`--net=${this.#namespaceOf(name)}`, program, ...args]);
    return stdout;
  }

  /** Starts a program in the namespace of a node, or of "tor". */
  spawnInside(name: string, program: string, args: readonly string[]): ChildProcess {
    return spawn('nsenter', [`--net=${this.#namespaceOf(name)}`, program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /**
   * IPv4 routes to blocks that go away. Not those that FRR tells: it calls itself restarting in every OPEN, and BIRD does not wait
   * for such a peer (RFC 4724, section 4.1). (The kernel cannot replace IPv6 routes: BIRD and FRR delete and add them within a
   * millisecond.)
   */
  watchDeletions(places: readonly string[]): { deletions(): string[] } & Disposable {
    const lines: string[] = [];
    const children = places.map((place) => {
      const child = this.spawnInside(place, 'ip', ['-4', 'monitor', 'route']);
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n')) {
          if (/^Deleted 192\.168\..*proto (bird|bgp)/.test(line)) lines.push(`${place}: ${line.trim()}`);
        }
      });
      return child;
    });
    return {
      deletions: () => [...lines],
      [Symbol.dispose]: () => {
        for (const child of children) child.kill();
      },
    };
  }

  /** Resolves when it is so. Nobody tells when a route arrives: it is asked for. */
  async until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
    const giveUpAt = performance.now() + deadlineMs;
    let last: unknown;
    for (;;) {
      try {
        if (await isTrue()) return;
        last = undefined;
      } catch (error) {
        last = error;
      }
      if (performance.now() > giveUpAt) throw new Error(`Not so by the deadline: ${what}`, { cause: last });
      await delay(100);
    }
  }

  /** A machine "client" behind the router, in 10.200.0.0/24, to which nobody else has a way. */
  async addClient(): Promise<void> {
    const client = this.#underlay.addMachine('client', 3);
    using inClient = Rtnetlink.open({ namespace: client.namespace });
    // Off the underlay: all that it sends goes by the router.
    inClient.apply(setLink(inClient.link('eth0')?.index ?? 0, { up: false }));
    using inRouter = Rtnetlink.open({ namespace: this.#routerNamespace });
    inRouter.apply(addVeth({ name: 'client', up: true, peer: { name: 'tor', namespace: client.namespace } }));
    inRouter.apply(
      addAddress({ link: inRouter.link('client')?.index ?? 0, address: '10.200.0.1', prefixLength: 24 }),
    );
    const link = inClient.link('tor')?.index ?? 0;
    inClient.apply(setLink(link, { up: true }));
    inClient.apply(addAddress({ link, address: '10.200.0.2', prefixLength: 24 }));
    await this.inside('client', 'ip', ['route', 'add', 'default', 'via', '10.200.0.1']);
    // Spread connections, not pairs of addresses.
    writeSysctls(this.#routerNamespace, {
      'net/ipv4/ip_forward': 1,
      'net/ipv4/fib_multipath_hash_policy': 1,
    });
  }

  /** A pod on a node as the CNI plugin makes it, in which a GoBGP peers with the node at an address. */
  async startRouterInPod(
    name: string,
    {
      address,
      hears,
      asNumber,
      networks,
    }: { address: string; hears: string; asNumber: number; networks: string[] },
  ): Promise<ExternalRouter> {
    const node = this.#underlay.node(name);
    const pod = this.#underlay.addMachine('client', 3);
    using inPod = Rtnetlink.open({ namespace: pod.namespace });
    inPod.apply(setLink(inPod.link('eth0')?.index ?? 0, { up: false }));
    using onNode = Rtnetlink.open({ namespace: node.namespace });
    onNode.apply(addVeth({ name: 'calipod', up: true, peer: { name: 'pod', namespace: pod.namespace } }));
    const link = inPod.link('pod')?.index ?? 0;
    inPod.apply(setLink(link, { up: true }));
    inPod.apply(addAddress({ link, address, prefixLength: 32 }));
    await this.inside('client', 'ip', ['route', 'add', '169.254.1.1', 'dev', 'pod', 'scope', 'link']);
    await this.inside('client', 'ip', ['route', 'add', 'default', 'via', '169.254.1.1', 'dev', 'pod']);
    await this.inside(name, 'ip', ['route', 'add', address, 'dev', 'calipod', 'scope', 'link']);
    writeSysctls(node.namespace, { 'net/ipv4/conf/calipod/proxy_arp': 1, 'net/ipv4/ip_forward': 1 });
    this.#router = await startRouter('gobgp', {
      spawn: (start) => inNamespace(pod.namespace, start),
      folder: join(this.#folder, 'router'),
      environment: {},
      asNumber,
      routerId: address,
      neighbors: [{ address: hears, asNumber: 64512 }],
      networks,
    });
    return this.#router;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    for (const name of this.names) this.#endBird(name);
    await this.#router?.stop();
    await this.datastore.close();
    this.#underlay.close();
    for (const name of ['underlay', 'tor', 'client', ...this.names])
      deleteNamespace(`${this.#prefix}.${name}`);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** One that nobody has taken over since its agent was abandoned. */
  #endBird(name: string): void {
    const { pid: file } = this.paths(name);
    if (!existsSync(file)) return;
    const pid = Number(readFileSync(file, 'utf8'));
    const commandLine = `/proc/${pid}/cmdline`;
    if (existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes(file))
      process.kill(pid, 'SIGKILL');
  }

  #namespaceOf(name: string): string {
    return namespacePath(`${this.#prefix}.${name}`);
  }
}

export function blockOf(number: number): string {
  return `192.168.${number}.0/26`;
}

export function sixBlockOf(number: number): string {
  return `fd10::${number}:0/122`;
}

/** "172.30.0.11" is fd30::11 as well. */
export function sixOf(address: string): string {
  return `fd30::${address.split('.').at(-1)}`;
}
