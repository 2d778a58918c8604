// One node with three pods of both families in the real kernel, kept by our own dataplane and its upkeep, for tests in which other hands are
// at work. The pods' links are made by `ip`: who makes them does not matter to what looks after them.
// Pod "a" may reach pod "b" and must not reach pod "c", whose policy denies everything.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { Calculator } from '../../src/calc/index.ts';
import {
  HostLinks,
  LinuxDataplane,
  NftablesDataplane,
  type OverlayFault,
  VxlanOverlay,
} from '../../src/dataplane/index.ts';
import { Upkeep } from '../../src/felix/index.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  InetSocket,
  type InetSocketOptions,
  Nftables,
  namespacePath,
  openNamespace,
  Rtnetlink,
  writeSysctls,
} from '../../src/kernel/index.ts';
import { Prober } from '../../src/lab/prober/client.ts';
import { families, probedAs } from '../../src/lab/prober/families.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import type { Family } from '../../src/net/index.ts';
import { createLogger } from '../../src/process/index.ts';
import { nodeAnnotations, type Pod } from '../../src/resources/index.ts';

const podMac = (number: number) => `02:00:00:00:00:0${number}`;
/** Addresses by family, of pods and nodes by number. */
export const plan = {
  4: {
    pool: '10.1.0.0/16',
    blocks: ['10.1.0.0/26', '10.1.0.64/26'],
    pod: (number: number) => `10.1.0.${number}`,
    node: (number: number) => `172.30.0.1${number}`,
    tunnel: (number: number) => `10.1.0.4${number}`,
    tunnelMac: (number: number) => `66:00:00:00:00:0${number}`,
  },
  6: {
    pool: 'fd00:1::/64',
    blocks: ['fd00:1::/122', 'fd00:1::40/122'],
    pod: (number: number) => `fd00:1::${number}`,
    node: (number: number) => `fd30::1${number}`,
    tunnel: (number: number) => `fd00:1::3${number}`,
    tunnelMac: (number: number) => `66:00:00:00:06:0${number}`,
  },
} as const;
const names = ['a', 'b', 'c'] as const;
export type PodName = (typeof names)[number];

/** A pod's next hop, which is its host's end. */
const gateway6 = 'fe80::ecee:eeff:feee:eeee';

export interface OneNodeOptions {
  /** Whether the table is ours alone; false as on kernels that know no owners. */
  readonly owned: boolean;
  /** Milliseconds between looks without an event; never when absent. */
  readonly lookEveryMs?: number;
  /** What nft makes in the node before our dataplane begins. */
  readonly before?: string;
}

export class OneNode {
  readonly namespace: number;
  readonly name: string;
  readonly calculator: Calculator;
  readonly dataplane: LinuxDataplane;
  readonly prober: Prober;
  /** Number of repairs so far, by part. */
  readonly repairs = new Map<string, number>();
  readonly logged: { readonly part?: string }[] = [];
  /** What is lacking of the tunnel. */
  overlayFaults: readonly OverlayFault[] = [];
  readonly #overlayFaultsTold: (() => void)[] = [];
  readonly #prefix: string;
  readonly #namespaces: string[] = [];
  readonly #rtnetlink: Rtnetlink;
  readonly #nftables: Nftables;
  readonly #table: NftablesDataplane;
  readonly #upkeep: Upkeep;
  #repaired = Promise.withResolvers<string>();

  static async make(label: string, options: OneNodeOptions): Promise<OneNode> {
    const node = new OneNode(label, options);
    try {
      await node.#introduce();
      return node;
    } catch (error) {
      await node.remove();
      throw error;
    }
  }

  private constructor(label: string, { owned, lookEveryMs = 0, before }: OneNodeOptions) {
    this.#prefix = `ct-${process.pid}-${label}`;
    this.name = this.#add('n');
    this.prober = new Prober(this.#prefix);
    this.#wire();
    if (before !== undefined) this.nft(before);
    this.namespace = openNamespace(namespacePath(this.name));
    writeSysctls(this.namespace, { 'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1 });
    this.#rtnetlink = Rtnetlink.open({ namespace: this.namespace });
    this.#nftables = Nftables.open({ namespace: this.namespace });
    this.calculator = fill(new Calculator({ node: 'node-1' }));
    this.#table = new NftablesDataplane(this.#nftables, {
      endpointToHostAction: 'Accept',
      logPrefix: 'calico-packet',
      forgetJudgements: async () => {},
      onTrouble: (error) => assert.fail(String(error)),
      owned,
    });
    this.dataplane = new LinuxDataplane({
      nftables: this.#table,
      overlays: families.map((family) => this.newOverlay(family)),
      links: new HostLinks(this.#rtnetlink, this.namespace),
      onOverlayFaults: (faults) => {
        this.overlayFaults = faults;
        for (const wake of this.#overlayFaultsTold.splice(0)) wake();
      },
    });
    const log = createLogger('test', 'silent');
    const warn = log.warn.bind(log);
    log.warn = ((details: { readonly part?: string }, text: string) => {
      this.logged.push(details);
      warn(details, text);
    }) as typeof log.warn;
    this.#upkeep = new Upkeep({
      dataplane: {
        watch: (doubt) => this.dataplane.watch(doubt, this.namespace),
        auditTable: () => this.dataplane.auditTable(),
        repairRouting: () => this.dataplane.repairRouting(),
        repairSettings: () => this.dataplane.repairSettings(),
      },
      rewriteTable: () => {
        this.dataplane.distrust();
        this.apply();
        this.#notify('table');
      },
      intervals: { table: lookEveryMs, routing: lookEveryMs, settings: lookEveryMs },
      log,
      repairs: {
        add: (part, by = 1) => {
          this.repairs.set(part, (this.repairs.get(part) ?? 0) + by);
          if (part !== 'table') this.#notify(part);
        },
      },
    });
    this.apply();
    this.#upkeep.look();
  }

  /** A family's tunnel in the eyes of an agent that has just started. */
  newOverlay(family: Family): VxlanOverlay {
    return new VxlanOverlay(this.#rtnetlink, {
      family,
      nodeAddress: plan[family].node(1),
      tunnelAddress: plan[family].tunnel(1),
      mac: plan[family].tunnelMac(1),
      parent: this.#rtnetlink.link('eth0')?.index ?? assert.fail('the node has no underlay'),
      mtu: 1400,
      vni: 4096,
      port: 4789,
    });
  }

  apply(): void {
    this.dataplane.apply(this.calculator.state, this.calculator.takeChanges());
  }

  /** Resolves when the tunnel lacks what is described. */
  async overlayLacks(isIt: (sentences: string) => boolean): Promise<void> {
    while (!isIt(this.overlayFaults.map(({ extent, sentence }) => `${extent}: ${sentence}`).join('\n')))
      await new Promise<void>((resolve) => this.#overlayFaultsTold.push(resolve));
  }

  /** Resolves when nothing is left to be written after a change. */
  settled(): Promise<void> {
    return this.#table.settled();
  }

  /** Name of the host's end of a pod's link. */
  linkOf(pod: PodName): string {
    const program = this.calculator.state.endpoints.get(`t/${pod}`);
    return program?.interfaceName ?? assert.fail(`pod ${pod} is not known`);
  }

  /** In a pod's network namespace. */
  socket(pod: PodName, options: Omit<InetSocketOptions, 'namespace'>): InetSocket {
    const namespace = openNamespace(namespacePath(`${this.#prefix}-p${pod}`));
    try {
      return InetSocket.open({ ...options, namespace });
    } finally {
      closeNamespace(namespace);
    }
  }

  /** `ip` in the node's namespace; of routes it shows IPv4's unless it is told "-6". */
  ip(...args: string[]): string {
    return execFileSync('ip', ['-n', this.name, ...args], { encoding: 'utf8' });
  }

  /** `bridge fdb` in the node's namespace. */
  fdb(...args: string[]): string {
    return execFileSync('bridge', ['-n', this.name, 'fdb', ...args], { encoding: 'utf8' });
  }

  /** Another's nft in the node's namespace. @throws when it is refused */
  nft(...args: string[]): string {
    return execFileSync('nsenter', [`--net=${namespacePath(this.name)}`, 'nft', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** The same, while our own event loop goes on: for what has to be repaired meanwhile. */
  async nftBeside(...args: string[]): Promise<void> {
    await promisify(execFile)('nsenter', [`--net=${namespacePath(this.name)}`, 'nft', ...args]);
  }

  /** Does something to the node, and resolves with the part that was repaired thereafter. */
  async repairedAfter(what: () => unknown): Promise<string> {
    this.#repaired = Promise.withResolvers();
    const deadline = setTimeout(
      () => this.#repaired.reject(new Error('Not repaired within a minute')),
      60_000,
    );
    try {
      await what();
      return await this.#repaired.promise;
    } finally {
      clearTimeout(deadline);
    }
  }

  /**
   * Probes a to b, which is permitted, and a to c, which is not, while something happens; over UDP, every millisecond or so. There
   * are two lanes of either over IPv4, and two over IPv6.
   */
  async flood(during: () => Promise<void>): Promise<{ permitted: LaneReport[]; forbidden: LaneReport[] }> {
    const flows = families.flatMap((family) => {
      const flow = (to: PodName) => ({
        from: probedAs('t/a', family),
        to: probedAs(`t/${to}`, family),
        port: 53,
      });
      return [flow('b'), flow('c')];
    });
    await this.prober.ask('startStream', { protocol: 'udp', flows });
    await during();
    const { lanes } = await this.prober.ask('stopStream', {});
    return {
      permitted: lanes.filter(({ name }) => name.includes('to t/b')),
      forbidden: lanes.filter(({ name }) => name.includes('to t/c')),
    };
  }

  async remove(): Promise<void> {
    await this.prober?.close();
    this.#upkeep?.[Symbol.dispose]();
    this.dataplane?.stop();
    this.#rtnetlink?.close();
    this.#nftables?.close();
    for (const name of this.#namespaces) deleteNamespace(name);
  }

  /** The agent is gone, and its kernel's objects are left: the table is nobody's. */
  orphan(): void {
    this.#upkeep[Symbol.dispose]();
    this.#nftables.close();
  }

  #notify(part: string): void {
    this.#repaired.resolve(part);
  }

  #wire(): void {
    const underlay = this.#add('u');
    const batch = (namespace: string, ...lines: string[]) =>
      execFileSync('ip', ['-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
    batch(
      this.name,
      'link set lo up',
      `link add eth0 type veth peer name n1 netns ${underlay}`,
      'link set eth0 up',
      'addr add 172.30.0.11/24 dev eth0',
      'addr add fd30::11/64 dev eth0 nodad',
      'route add default via 172.30.0.1',
      'route add default via fd30::1',
    );
    batch(
      underlay,
      'link set lo up',
      'link set n1 up',
      'addr add 172.30.0.1/24 dev n1',
      'addr add fd30::1/64 dev n1 nodad',
    );
    const interfaces = fill(new Calculator({ node: 'node-1' }));
    interfaces.takeChanges();
    for (const [position, pod] of names.entries()) {
      const number = position + 1;
      const namespace = this.#add(`p${pod}`);
      const link = interfaces.state.endpoints.get(`t/${pod}`)?.interfaceName;
      batch(
        this.name,
        `link add ${link} address ee:ee:ee:ee:ee:ee type veth peer name eth0 address ${podMac(number)} netns ${namespace}`,
        `addr add ${gateway6}/64 dev ${link} nodad`,
        `link set ${link} up`,
        `route add 10.1.0.${number}/32 dev ${link} proto boot`,
        `route add fd00:1::${number}/128 dev ${link} proto boot`,
        `neigh add 10.1.0.${number} lladdr ${podMac(number)} dev ${link} nud permanent`,
        `neigh add fd00:1::${number} lladdr ${podMac(number)} dev ${link} nud permanent`,
      );
      batch(
        namespace,
        'link set lo up',
        'link set eth0 up',
        `addr add 10.1.0.${number}/32 dev eth0`,
        `addr add fd00:1::${number}/128 dev eth0 nodad`,
        'route add 169.254.1.1 dev eth0',
        'route add default via 169.254.1.1 dev eth0',
        `route add default via ${gateway6} dev eth0`,
        'neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent',
        `neigh add ${gateway6} lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent`,
      );
    }
  }

  async #introduce(): Promise<void> {
    const { prober } = this;
    for (const family of families) {
      const node = probedAs('node-1', family);
      const address = plan[family].node(1);
      await prober.ask('addNode', { name: node, namespacePath: namespacePath(this.name), address });
      for (const [position, pod] of names.entries()) {
        await prober.ask('addPod', {
          key: probedAs(`t/${pod}`, family),
          node,
          namespacePath: namespacePath(`${this.#prefix}-p${pod}`),
          ip: plan[family].pod(position + 1),
          listen: [{ protocol: 'udp', port: 53 }],
        });
      }
    }
  }

  #add(suffix: string): string {
    const name = `${this.#prefix}-${suffix}`;
    createNamespace(name);
    this.#namespaces.push(name);
    return name;
  }
}

/** The cluster's objects: three local pods, a policy for the third, and a remote node with a block. */
function fill(calculator: Calculator): Calculator {
  calculator.setNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 't' } });
  for (const [position, name] of names.entries()) calculator.setPod(pod(name, position + 1));
  calculator.setKubernetesNetworkPolicy({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 't', name: 'deny' },
    spec: { podSelector: { matchLabels: { name: 'c' } }, policyTypes: ['Ingress', 'Egress'] },
  });
  for (const family of families) {
    calculator.setPool({
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name: `pool-${family}` },
      spec: { cidr: plan[family].pool, vxlanMode: 'Always' },
    });
  }
  for (const number of [1, 2]) {
    calculator.setNode({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: `node-${number}`,
        annotations: {
          [nodeAnnotations.ipv4Address]: `${plan[4].node(number)}/24`,
          [nodeAnnotations.ipv4VxlanTunnelAddress]: plan[4].tunnel(number),
          [nodeAnnotations.vxlanTunnelMac]: plan[4].tunnelMac(number),
          [nodeAnnotations.ipv6Address]: `${plan[6].node(number)}/64`,
          [nodeAnnotations.ipv6VxlanTunnelAddress]: plan[6].tunnel(number),
          [nodeAnnotations.vxlanTunnelMacV6]: plan[6].tunnelMac(number),
        },
      },
    });
  }
  const blocks = families.flatMap((family) =>
    plan[family].blocks.map((cidr, position) => [cidr, `node-${position + 1}`] as const),
  );
  for (const [cidr, owner] of blocks) {
    calculator.setBlock({
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPAMBlock',
      metadata: { name: cidr },
      spec: {
        cidr,
        affinity: `host:${owner}`,
        allocations: new Array<null>(64).fill(null),
        attributes: [],
        unallocated: [],
        strictAffinity: false,
        sequenceNumber: 0,
      },
    });
  }
  return calculator;
}

function pod(name: string, number: number): Pod {
  const podIPs = families.map((family) => ({ ip: plan[family].pod(number) }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 't', name, uid: `uid-${name}`, labels: { name } },
    spec: { nodeName: 'node-1', containers: [] },
    status: { phase: 'Running', podIP: plan[4].pod(number), podIPs },
  };
}
