// A cluster of the lab with the real programs, whose agents are killed again and again while a flood of probes watches what
// passes and what does not. Used by the short selection in the tests and by the long loops of torture.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { closeNamespace, Nftables, openNamespace } from '../../src/kernel/index.ts';
import { Cluster } from '../../src/lab/cluster.ts';
import { families, probedAs } from '../../src/lab/prober/families.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import { leftovers } from '../../src/lab/run/cleanup.ts';
import { namespacePrefix, nodeRoot } from '../../src/lab/run/run.ts';
import {
  ipamBlocks,
  ipamHandles,
  kubernetesNetworkPolicies,
  type Node,
  nodes,
  type Pod,
  pods,
} from '../../src/resources/index.ts';
import { HeldConnections } from './held-connections.ts';
import type { KillOrders } from './kill-injector.ts';

/**
 * When an agent dies: at a counted point of its start, of what a policy's change, an ADD or a DEL makes it do; or at any time
 * while all of these are under way: by force, because it is asked to, or to be followed by a build of another table layout.
 */
export const moments = ['start', 'policy', 'add', 'del', 'any', 'graceful', 'upgrade'] as const;
export type Moment = (typeof moments)[number];
type Counted = 'start' | 'policy' | 'add' | 'del';
const isCounted = (moment: Moment): moment is Counted =>
  moment === 'start' || moment === 'policy' || moment === 'add' || moment === 'del';

export interface Fare {
  readonly permitted: readonly LaneReport[];
  readonly forbidden: readonly LaneReport[];
}

const deadlineMs = 60_000;
/** How often files and processes are looked at that do not tell when they change. */
const lookMs = 20;
/** An agent is at work on all of these at once for about so long. */
const busyMs = 600;
const injector = join(import.meta.dirname, 'kill-injector.ts');

export class KilledCluster {
  readonly cluster: Cluster;
  /** Milliseconds from each kill to the agent's next word that it is ready. */
  readonly recoveriesMs: number[] = [];
  readonly #heartbeats = new Map<string, string>();
  readonly #awaitingNode = new Set<() => void>();
  readonly #pods = new Map<string, Pod>();
  readonly #points = new Map<Counted, number>();
  readonly held = new HeldConnections();
  readonly #tables = new Map<string, Nftables>();
  #round = 0;

  static async start(id: string): Promise<KilledCluster> {
    process.env.NODE_OPTIONS = `--import=${injector}`;
    process.env.CALICO_TEST_KILL_FILE = join('/tmp', `${id}.kill`);
    const cluster = await Cluster.start({
      id,
      shape: { nodes: 2 },
      isDualStack: true,
      progress: { begin() {}, end() {} },
      signal: new AbortController().signal,
      report() {},
      agentDied() {},
    });
    const killed = new KilledCluster(cluster);
    try {
      await cluster.startWorkload();
      await killed.#setPolicy('deny-all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
      killed.#hold();
      return killed;
    } catch (error) {
      await killed.stop();
      throw error;
    }
  }

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    for (const node of ['node-1', 'node-2']) {
      const namespace = openNamespace(this.#pathOf(node));
      this.#tables.set(node, Nftables.open({ namespace }));
      closeNamespace(namespace);
    }
    const changed = () => {
      for (const look of [...this.#awaitingNode]) look();
    };
    const heard = (node: Node) => {
      const ready = node.status?.conditions?.find(
        ({ type, status }) => type === 'NetworkUnavailable' && status === 'False',
      );
      // An agent that ends says so, too.
      if (ready) this.#heartbeats.set(node.metadata.name, ready.lastHeartbeatTime ?? '');
      changed();
    };
    cluster.datastore.follow(nodes, { onUpsert: heard, onDelete() {}, onInSync() {} });
    cluster.datastore.follow(pods, {
      onUpsert: (pod) => {
        this.#pods.set(pod.metadata.name, pod);
        changed();
      },
      onDelete: ({ name }) => {
        this.#pods.delete(name);
        changed();
      },
      onInSync() {},
    });
  }

  /** Everything is removed, and this says so. @throws Error when something is left */
  async stop(): Promise<void> {
    this.held[Symbol.dispose]();
    for (const table of this.#tables.values()) table.close();
    delete process.env.NODE_OPTIONS;
    rmSync(this.#killFile, { force: true });
    delete process.env.CALICO_TEST_KILL_FILE;
    await this.cluster.stop();
    const left = leftovers(this.cluster.run.id);
    if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}`);
  }

  /** Probes permitted and forbidden flows of both families from both nodes without pause while something happens. */
  async flood(during: () => Promise<void>): Promise<Fare> {
    const flows = families.flatMap((family) => {
      const flow = (from: string, to: string) => ({
        from: probedAs(from, family),
        to: probedAs(to, family),
        port: 53,
      });
      // Twelve pods on two nodes in turn: even ones on one, odd ones on the other.
      return [
        flow('web/front-0', 'shop/cart-0'),
        flow('web/front-0', 'shop/orders-0'),
        flow('web/front-1', 'test/api-0'),
        flow('shop/cart-0', 'test/api-1'),
        flow('test/db-0', 'web/cache-0'),
      ];
    });
    await this.cluster.prober.ask('startStream', { protocol: 'udp', flows });
    await during();
    const { lanes } = await this.cluster.prober.ask('stopStream', {});
    return {
      permitted: lanes.filter(({ name }) => !name.includes('test/')),
      forbidden: lanes.filter(({ name }) => name.includes('test/')),
    };
  }

  /** How many points there are at which an agent can be killed in each of the counted moments. */
  get points(): ReadonlyMap<string, number> {
    return this.#points;
  }

  /**
   * Kills a node's agent at a moment and resolves when its successor is ready.
   * @param share of the moment's points, or of its time, that lie before the kill: 0 to 1
   */
  async kill(node: string, moment: Moment, share: number): Promise<void> {
    if (isCounted(moment)) {
      if (!this.#points.has(moment)) await this.#count(moment);
      const after = 1 + Math.floor(share * (this.#points.get(moment) ?? 0));
      await this.#under(node, moment, { after });
      // The next round has its own orders.
      await this.#restart(node, 'SIGKILL');
      await this.#order(node, { after: 0 });
    } else {
      const work = Promise.all([
        this.#changePolicy(node),
        this.#addPod(node).then((pod) => this.#deletePod(pod)),
      ]);
      // It may fail before it is waited for.
      work.catch(() => {});
      await delay(share * busyMs);
      await this.#end(node, moment);
      await work;
    }
  }

  async #end(node: string, moment: 'any' | 'graceful' | 'upgrade'): Promise<void> {
    if (moment === 'upgrade') {
      // Nobody owns the table any more, and what is in it now is of no layout of ours.
      const old = '{ type filter hook forward priority -10; policy accept; }';
      await this.#restart(node, 'SIGKILL', () =>
        this.#nft(node, 'add', 'chain', 'inet', 'calico', 'old', old),
      );
    } else await this.#restart(node, moment === 'any' ? 'SIGKILL' : 'SIGTERM');
  }

  /** Counts the points of a moment. */
  async #count(moment: Counted): Promise<void> {
    const report = `${this.#killFile}.points`;
    await this.#under('node-1', moment, { after: 0, report });
    this.#signal('node-1', 'SIGUSR2');
    await this.#appears(report);
    this.#points.set(moment, Number(readFileSync(report, 'utf8')));
    rmSync(report);
  }

  /** Does what the moment is named after, with the agent under orders. */
  async #under(node: string, moment: Counted, orders: KillOrders): Promise<void> {
    if (moment === 'start') {
      writeFileSync(this.#killFile, JSON.stringify(orders));
      await this.#restart(node, 'SIGKILL');
    } else if (moment === 'policy') {
      await this.#order(node, orders);
      await this.#changePolicy(node);
    } else if (moment === 'add') {
      await this.#order(node, orders);
      await this.#deletePod(await this.#addPod(node));
    } else {
      const pod = await this.#addPod(node);
      await this.#order(node, orders);
      await this.#deletePod(pod);
    }
  }

  /** Gives orders to a running agent, and resolves when it has taken them. */
  async #order(node: string, orders: KillOrders): Promise<void> {
    writeFileSync(this.#killFile, JSON.stringify(orders));
    this.#signal(node, 'SIGUSR2');
    await this.until(() => !existsSync(this.#killFile), `${node} to take its orders`);
  }

  /** Ends the agent, if it lives, and resolves when the next one is ready. */
  async #restart(node: string, signal: 'SIGKILL' | 'SIGTERM', meanwhile?: () => void): Promise<void> {
    const started = performance.now();
    const before = this.#heartbeats.get(node);
    const pid = this.#pidOf(node);
    this.#signal(node, signal);
    if (meanwhile) {
      await this.until(() => this.#pidOf(node) !== pid, `${node}'s agent to end`);
      meanwhile();
    }
    await this.#until(() => this.#heartbeats.get(node) !== before, `${node} to be ready again`);
    this.recoveriesMs.push(performance.now() - started);
  }

  async #changePolicy(node: string): Promise<void> {
    const name = `extra-${++this.#round}`;
    await this.createPolicy(name);
    await this.until(() => this.enforces(node, name), `${node} to enforce ${name}`);
    await this.deletePolicy(name);
    await this.until(() => !this.enforces(node, name), `${node} to forget ${name}`);
  }

  /** Lets a pod come to the node and go again. */
  async passPod(node: string): Promise<void> {
    await this.#deletePod(await this.#addPod(node));
  }

  /** One that permits what the flood's permitted flows do. */
  async createPolicy(name: string): Promise<void> {
    await this.#setPolicy(name, {
      podSelector: { matchLabels: { app: 'front' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ namespaceSelector: {} }] }],
    });
  }

  async deletePolicy(name: string): Promise<void> {
    await this.cluster.datastore.delete(kubernetesNetworkPolicies, { namespace: 'web', name });
  }

  /** Looks again and again at what does not tell when it changes. @throws Error at the deadline */
  until(isTrue: () => boolean, what: string): Promise<void> {
    return this.#until(isTrue, what, lookMs);
  }

  /** Whether a node's table speaks of a policy. */
  enforces(node: string, policy: string): boolean {
    const chains = this.#tables.get(node)?.listChains({ family: 'inet', name: 'calico' }) ?? [];
    return chains.some(({ name }) => name.endsWith(policy));
  }

  /** Returns its name when it runs. */
  async #addPod(node: string): Promise<string> {
    const name = `extra-${++this.#round}`;
    await this.#createPod(name, node);
    await this.#until(() => this.#pods.get(name)?.status?.phase === 'Running', `${name} to run`);
    return name;
  }

  /** Opens connections that have to live for as long as the cluster does. */
  #hold(): void {
    const prefix = `${namespacePrefix(this.cluster.run.id)}.`;
    const namespaces = readdirSync('/run/netns').filter((name) => name.startsWith(prefix));
    const pathOf = (pod: string) => {
      const start = `${prefix}${pod.replace('/', '-')}-`;
      return `/run/netns/${namespaces.find((name) => name.startsWith(start))}`;
    };
    for (const [position, [from, to]] of [
      ['web/front-0', 'shop/cart-0'],
      ['web/front-0', 'shop/orders-0'],
      ['shop/cart-0', 'web/cache-0'],
    ].entries()) {
      if (!from || !to) throw new Error(`No pod ${to}`);
      const addresses = this.#pods.get(to.split('/')[1] ?? '')?.status?.podIPs ?? [];
      if (addresses.length !== families.length)
        throw new Error(`Pod ${to} has not an address of each family`);
      for (const { ip } of addresses) {
        this.held.open(
          {
            name: `${from} to ${to} at ${ip}`,
            clientNamespace: pathOf(from),
            serverNamespace: pathOf(to),
            serverAddress: ip,
          },
          9000 + position,
        );
      }
    }
  }

  /**
   * What the nodes hold, for comparison: links, addresses, routes, neighbours, forwarding entries, files; chains with their
   * number of rules, sets and their elements; and the cluster's IPAM.
   */
  async holdings(): Promise<string[]> {
    const held: string[] = [];
    for (const node of ['node-1', 'node-2']) {
      const tell = (kind: string, what: string) => held.push(`${node} ${kind} ${what}`);
      for (const [kind, ...command] of [
        ['link', 'ip', '-br', 'link'],
        ['address', 'ip', '-br', 'address'],
        ['route', 'ip', 'route'],
        ['route', 'ip', '-6', 'route'],
        ['neighbour', 'ip', 'neigh', 'show', 'nud', 'permanent'],
        ['forwarding', 'bridge', 'fdb', 'show', 'dev', 'vxlan.calico'],
        ['forwarding', 'bridge', 'fdb', 'show', 'dev', 'vxlan-v6.calico'],
      ]) {
        for (const line of this.#run(node, ...command).split('\n')) {
          // Numbers of interfaces and flags that come and go are nobody's holdings.
          const text = line.replace(/@if\d+|<.*>|linkdown/g, '').trim();
          if (text !== '' && kind !== undefined) tell(kind, text);
        }
      }
      for (const what of tableHoldings(this.#nft(node, '-j', 'list', 'table', 'inet', 'calico')))
        tell('table', what);
      for (const file of readdirSync(nodeRoot(this.cluster.run, node), {
        recursive: true,
        encoding: 'utf8',
      }))
        tell('file', file);
    }
    const { datastore } = this.cluster;
    for (const { metadata } of await datastore.list(ipamHandles)) held.push(`handle ${metadata.name}`);
    for (const { metadata, spec } of await datastore.list(ipamBlocks)) {
      const taken = spec.allocations.filter((allocation) => allocation !== null).length;
      held.push(`block ${metadata.name} with ${taken} addresses`);
    }
    return held.sort();
  }

  /** What is held now and was not before, or the other way round, once all that was put off has been done. */
  async differences(before: readonly string[]): Promise<string[]> {
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      const after = await this.holdings();
      const differences = [
        ...after.filter((thing) => !before.includes(thing)).map((thing) => `+ ${thing}`),
        ...before.filter((thing) => !after.includes(thing)).map((thing) => `- ${thing}`),
        ...(after.length === before.length ? [] : [`${after.length} things instead of ${before.length}`]),
      ];
      if (differences.length === 0 || Date.now() > deadline) return differences;
      await delay(200);
    }
  }

  #run(node: string, ...command: string[]): string {
    return execFileSync('nsenter', [`--net=${this.#pathOf(node)}`, ...command], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
  }

  #pathOf(node: string): string {
    return `/run/netns/${namespacePrefix(this.cluster.run.id)}.${node}`;
  }

  #nft(node: string, ...args: string[]): string {
    return this.#run(node, 'nft', ...args);
  }

  get #killFile(): string {
    return process.env.CALICO_TEST_KILL_FILE ?? '';
  }

  #pidOf(node: string): number | undefined {
    return this.cluster.status().nodes.find(({ name }) => name === node)?.agentPid;
  }

  #signal(node: string, signal: NodeJS.Signals): void {
    const pid = this.#pidOf(node);
    if (pid !== undefined) process.kill(pid, signal);
  }

  async #setPolicy(name: string, spec: object): Promise<void> {
    const namespace = name === 'deny-all' ? 'test' : 'web';
    await this.cluster.datastore.create(kubernetesNetworkPolicies, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace, name },
      spec: spec as never,
    });
  }

  async #createPod(name: string, nodeName: string): Promise<void> {
    await this.cluster.datastore.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'web', name, labels: { app: 'front' } },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 0,
        containers: [
          { name: 'probe', image: 'any', ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] },
        ],
      },
    } as Pod);
  }

  async #deletePod(name: string): Promise<void> {
    await this.cluster.datastore.delete(pods, { namespace: 'web', name });
    // Its namespace goes last, when the plugin has been told.
    const start = `${namespacePrefix(this.cluster.run.id)}.web-${name}-`;
    const isThere = () => readdirSync('/run/netns').some((namespace) => namespace.startsWith(start));
    await this.until(() => !isThere(), `${name} to be gone`);
  }

  async #appears(path: string): Promise<void> {
    await this.#until(
      () => existsSync(path) && readFileSync(path, 'utf8') !== '',
      `${path} to appear`,
      lookMs,
    );
  }

  /** Looks at every event of the cluster, and every so many ms where that is no event. @throws Error at the deadline */
  #until(isTrue: () => boolean, what: string, everyMs?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const ticking = everyMs === undefined ? undefined : setInterval(() => look(), everyMs);
      const end = () => {
        clearTimeout(timer);
        clearInterval(ticking);
        this.#awaitingNode.delete(look);
      };
      const look = () => {
        if (!isTrue()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`Waited ${deadlineMs} ms for ${what}\n${this.#logs()}`));
      }, deadlineMs);
      this.#awaitingNode.add(look);
      look();
    });
  }

  #logs(): string {
    return [1, 2]
      .map((number) =>
        readFileSync(join(nodeRoot(this.cluster.run, `node-${number}`), 'log', 'calico-node.log'), 'utf8')
          .split('\n')
          .slice(-15)
          .join('\n'),
      )
      .join('\n');
  }
}

/** Chains with their number of rules, sets and elements, of what "nft -j list table" says. */
function tableHoldings(json: string): string[] {
  const { nftables } = JSON.parse(json) as {
    nftables: {
      chain?: { name: string };
      rule?: { chain: string };
      set?: { name: string; elem?: unknown[] };
      map?: { name: string; elem?: unknown[] };
    }[];
  };
  const rules = Map.groupBy(nftables, ({ rule }) => rule?.chain);
  return nftables.flatMap(({ chain, set, map }) => {
    const list = set ?? map;
    if (chain) return [`chain ${chain.name} with ${rules.get(chain.name)?.length ?? 0} rules`];
    // The generation of judgements goes on for ever.
    if (!list || list.name === 'cali-judged' || list.name === 'cali-stamp-now') return [];
    return [
      `set ${list.name}`,
      ...(list.elem ?? []).map((element) => `set ${list.name} holds ${JSON.stringify(element)}`),
    ];
  });
}
