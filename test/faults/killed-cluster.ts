// A cluster of the lab with the real programs, whose agents are killed again and again while a flood of probes watches what
// passes and what does not. Used by the short selection in the tests and by the long loops of torture.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster } from '../../src/lab/cluster.ts';
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

export type Moment = 'start' | 'policy' | 'add' | 'any' | 'graceful';
export const moments: readonly Moment[] = ['start', 'policy', 'add', 'any', 'graceful'];

export interface Fare {
  readonly permitted: readonly LaneReport[];
  readonly forbidden: readonly LaneReport[];
}

const deadlineMs = 30_000;
const injector = join(import.meta.dirname, 'kill-injector.ts');

export class KilledCluster {
  readonly cluster: Cluster;
  /** Milliseconds from each kill to the agent's next word that it is ready. */
  readonly recoveriesMs: number[] = [];
  readonly #heartbeats = new Map<string, string>();
  readonly #awaitingNode = new Set<() => void>();
  readonly #pods = new Map<string, Pod>();
  #round = 0;

  static async start(id: string): Promise<KilledCluster> {
    process.env.NODE_OPTIONS = `--import=${injector}`;
    process.env.CALICO_TEST_KILL_FILE = join('/tmp', `${id}.kill`);
    const cluster = await Cluster.start({
      id,
      nodes: 2,
      progress: { begin() {}, end() {} },
      signal: new AbortController().signal,
      report() {},
      agentDied() {},
    });
    const killed = new KilledCluster(cluster);
    try {
      await cluster.startWorkload();
      await killed.#setPolicy('deny-all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
      return killed;
    } catch (error) {
      await killed.stop();
      throw error;
    }
  }

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    const changed = () => {
      for (const look of [...this.#awaitingNode]) look();
    };
    const heard = (node: Node) => {
      const ready = node.status?.conditions?.find(({ type }) => type === 'NetworkUnavailable');
      this.#heartbeats.set(node.metadata.name, ready?.lastHeartbeatTime ?? '');
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
    delete process.env.NODE_OPTIONS;
    rmSync(this.#killFile, { force: true });
    delete process.env.CALICO_TEST_KILL_FILE;
    await this.cluster.stop();
    const left = leftovers(this.cluster.run.id);
    if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}`);
  }

  /** Probes permitted and forbidden flows from both nodes without pause while something happens. */
  async flood(during: () => Promise<void>): Promise<Fare> {
    const flow = (from: string, to: string) => ({ from, to, port: 53 });
    // Twelve pods on two nodes in turn: even ones on one, odd ones on the other.
    const flows = [
      flow('web/front-0', 'shop/cart-0'),
      flow('web/front-0', 'shop/orders-0'),
      flow('web/front-1', 'test/api-0'),
      flow('shop/cart-0', 'test/api-1'),
      flow('test/db-0', 'web/cache-0'),
    ];
    await this.cluster.prober.ask('startStream', { protocol: 'udp', flows });
    await during();
    const { lanes } = await this.cluster.prober.ask('stopStream', {});
    return {
      permitted: lanes.filter(({ name }) => !name.includes('test/')),
      forbidden: lanes.filter(({ name }) => name.includes('test/')),
    };
  }

  /** Kills a node's agent at a moment, after so many of its points, and resolves when its successor is ready. */
  async kill(node: string, moment: Moment, after: number): Promise<void> {
    const name = `extra-${++this.#round}`;
    const started = performance.now();
    const before = this.#heartbeats.get(node);
    if (moment !== 'graceful' && moment !== 'any') writeFileSync(this.#killFile, String(after));
    if (moment === 'start' || moment === 'any') this.#signal(node, 'SIGKILL');
    else if (moment === 'graceful') this.#signal(node, 'SIGTERM');
    else this.#signal(node, 'SIGUSR2');
    if (moment === 'policy') {
      await this.#setPolicy(name, {
        podSelector: { matchLabels: { app: 'front' } },
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ namespaceSelector: {} }] }],
      });
      await this.cluster.datastore.delete(kubernetesNetworkPolicies, { namespace: 'web', name });
    } else if (moment === 'add') {
      await this.#createPod(name, node);
      await this.#until(() => this.#pods.get(name)?.status?.phase === 'Running', `${name} to run`);
      await this.#deletePod(name);
    }
    // Whoever has points left would die in a later round.
    if (moment === 'policy' || moment === 'add') this.#signal(node, 'SIGKILL');
    await this.#until(() => this.#heartbeats.get(node) !== before, `${node} to be ready again`);
    this.recoveriesMs.push(performance.now() - started);
  }

  /** What a node holds, for comparison: names of links, chains and sets, routes, files, and the cluster's IPAM. */
  async holdings(): Promise<string[]> {
    const held: string[] = [];
    for (const number of [1, 2]) {
      const node = `node-${number}`;
      const namespace = `${namespacePrefix(this.cluster.run.id)}.${node}`;
      const run = (...command: string[]) =>
        execFileSync('nsenter', [`--net=/run/netns/${namespace}`, ...command], { encoding: 'utf8' });
      const links = JSON.parse(run('ip', '-j', 'link')) as { ifname: string }[];
      const routes = JSON.parse(run('ip', '-j', 'route')) as { dst: string; dev?: string }[];
      const { nftables } = JSON.parse(run('nft', '-j', 'list', 'table', 'inet', 'calico')) as {
        nftables: Record<string, { name?: string }>[];
      };
      held.push(...links.map(({ ifname }) => `${node} link ${ifname}`));
      held.push(...routes.map(({ dst, dev }) => `${node} route ${dst} ${dev ?? ''}`));
      for (const entry of nftables) {
        for (const kind of ['chain', 'set', 'map']) {
          if (entry[kind]) held.push(`${node} ${kind} ${entry[kind]?.name}`);
        }
      }
      const files = readdirSync(nodeRoot(this.cluster.run, node), { recursive: true, encoding: 'utf8' });
      held.push(...files.map((file) => `${node} file ${file}`));
    }
    const { datastore } = this.cluster;
    for (const { metadata } of await datastore.list(ipamHandles)) held.push(`handle ${metadata.name}`);
    for (const { metadata, spec } of await datastore.list(ipamBlocks)) {
      const taken = spec.allocations.filter((allocation) => allocation !== null).length;
      held.push(`block ${metadata.name} with ${taken} addresses`);
    }
    return held.sort();
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
    await this.#until(() => !this.#pods.has(name), `${name} to be gone`);
  }

  /** Looks at every event of the cluster. @throws Error at the deadline */
  #until(isTrue: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
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
