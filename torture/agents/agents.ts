// Nodes with real agents: calico-node processes in network namespaces, on an underlay of their own, against the embedded API
// server. There is no kubelet: whoever uses this calls the real plugin as a container runtime would, and kills what it likes.
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { shimPath } from '../../src/cni/index.ts';
import { AlreadyExistsError, type Datastore, UnavailableError } from '../../src/datastore/index.ts';
import { closeNamespace, openNamespace, Rtnetlink } from '../../src/kernel/index.ts';
import { Agent } from '../../src/lab/agents.ts';
import { LabApi, nodeKubeconfig } from '../../src/lab/api.ts';
import { CniError, callCni, tryAgainLater } from '../../src/lab/kubelet/cni.ts';
import { registerNode } from '../../src/lab/kubelet/node-status.ts';
import { ReadyNodes } from '../../src/lab/ready-nodes.ts';
import { removeRun } from '../../src/lab/run/cleanup.ts';
import { runVariable } from '../../src/lab/run/processes.ts';
import { createRun, namespacePrefix, nodeRoot, type Run } from '../../src/lab/run/run.ts';
import { Underlay } from '../../src/lab/underlay.ts';
import type { Family } from '../../src/net/index.ts';
import {
  crds,
  customResourceDefinitions,
  type IPPoolSpec,
  ipPools,
  namespaces,
  type Pod,
  pods,
} from '../../src/resources/index.ts';
import type { RefusalOrders } from '../../test/faults/refusal-injector.ts';

export const network = 'torture';
export const namespace = 'torture';

/** One container of a pod: a sandbox. */
export interface Sandbox {
  readonly pod: Pod;
  readonly node: string;
  /** 64 hexadecimal digits. */
  readonly containerId: string;
  readonly namespacePath: string;
}

export interface AgentsOptions {
  readonly id: string;
  readonly nodes: number;
  readonly pools: Readonly<Record<string, IPPoolSpec>>;
  /** Of which pods get an address each. The nodes have both where pods have IPv6. */
  readonly families: readonly Family[];
  /** Of every agent, besides what the lab gives it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the agents of some nodes find in their environment besides. */
  readonly environments?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Called when the nodes are there, and no agent is yet. */
  readonly prepare?: (agents: Agents) => Promise<void>;
}

const readyDeadlineMs = 120_000;
const settleDeadlineMs = 60_000;
const retryMs = 200;
const mostTries = 20;
const injectors = ['kill-injector.ts', 'refusal-injector.ts'].map((file) =>
  join(import.meta.dirname, '..', '..', 'test', 'faults', file),
);

export class Agents {
  readonly run: Run;
  readonly #underlay: Underlay;
  readonly #api: LabApi;
  readonly #families: readonly Family[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #environments: NonNullable<AgentsOptions['environments']>;
  readonly #agents = new Map<string, Agent>();
  readonly #plugin = shimPath();
  readonly #stopping = new AbortController();

  /** Resolves when every agent is ready. */
  static async start(options: AgentsOptions): Promise<Agents> {
    const { id, nodes, families } = options;
    const run = createRun(id);
    let agents: Agents | undefined;
    try {
      const underlay = Underlay.make(namespacePrefix(id), nodes, { isDualStack: families.includes(6) });
      agents = new Agents(run, underlay, await LabApi.start(run, underlay, () => {}), options);
      await agents.#begin(options);
      return agents;
    } catch (error) {
      await (agents ? agents.stop() : removeRun(run));
      throw error;
    }
  }

  private constructor(run: Run, underlay: Underlay, api: LabApi, options: AgentsOptions) {
    this.#families = options.families;
    this.#environment = options.environment ?? {};
    this.#environments = options.environments ?? {};
    this.run = run;
    this.#underlay = underlay;
    this.#api = api;
  }

  get datastore(): Datastore {
    return this.#api.datastore;
  }

  get nodes(): string[] {
    return [...this.#agents.keys()];
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The agents are being stopped'));
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    await this.#api.close();
    this.#underlay.close();
    await removeRun(this.run);
  }

  async createPod(name: string, nodeName: string): Promise<Pod> {
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { nodeName, containers: [{ name: 'main', image: 'none' }] },
    };
    return untilAnswered(async () => {
      try {
        return await this.datastore.create(pods, pod);
      } catch (error) {
        // Of an attempt whose answer was lost.
        if (error instanceof AlreadyExistsError) return this.datastore.get(pods, { namespace, name });
        throw error;
      }
    });
  }

  removePod(pod: Pod): Promise<void> {
    return untilAnswered(() => this.#api.removePod(pod));
  }

  /** Its path. */
  makePodNamespace(name: string): string {
    return this.#underlay.makePodNamespace(name);
  }

  removePodNamespace(name: string): void {
    this.#underlay.removePodNamespace(name);
  }

  /** Stops the API server, does something to its store, and starts it again. */
  restartApi(meanwhile: () => Promise<void>): Promise<void> {
    return this.#api.restart(meanwhile);
  }

  /** Runs the plugin, which a signal may end in the middle. Returns the addresses that ADD answered. @throws CniError */
  call(command: 'ADD' | 'DEL', sandbox: Sandbox, signal: AbortSignal = this.#stopping.signal) {
    return this.#call(command, sandbox, this.configuration(sandbox.node), signal);
  }

  /** What the runtime of a node knows of, and nothing else, is to be left. Asks until its agent is there to do it. */
  async collectGarbage(node: string, valid: readonly Sandbox[], anybody: Sandbox): Promise<void> {
    const attachments = valid.map(({ containerId }) => ({ containerID: containerId, ifname: 'eth0' }));
    const configuration = { ...this.configuration(node), 'cni.dev/valid-attachments': attachments };
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(settleDeadlineMs)]);
    for (;;) {
      try {
        await this.#call('GC', { ...anybody, node }, configuration, signal);
        return;
      } catch (error) {
        if (!(error instanceof CniError) || error.code !== tryAgainLater) throw error;
        await delay(retryMs, undefined, { signal });
      }
    }
  }

  /** What the plugin reads on its stdin on a node. */
  configuration(node: string) {
    const root = nodeRoot(this.run, node);
    return {
      cniVersion: '1.1.0',
      name: network,
      type: 'calico',
      agent_socket: join(root, 'run', 'cni.sock'),
      deletions_dir: join(root, 'lib', 'cni-deletions'),
      feature_control: { floating_ips: true },
      ipam: {
        type: 'calico-ipam',
        assign_ipv4: String(this.#families.includes(4)),
        assign_ipv6: String(this.#families.includes(6)),
      },
    };
  }

  /** Starts a process where a node's container runtime would be. */
  onNode(node: string): <T>(start: () => T) => T {
    return this.#underlay.onNode(node);
  }

  /** Undefined while it is not running. */
  pidOf(node: string): number | undefined {
    return this.#agents.get(node)?.pid;
  }

  /** Orderly, and for as long as nobody starts it. */
  async stopAgent(node: string): Promise<void> {
    await this.#agents.get(node)?.stop();
  }

  startAgent(node: string): void {
    this.#agents.set(node, this.#startAgent(node));
  }

  kill(node: string): void {
    const pid = this.pidOf(node);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  /** Kills the agent as it passes that many points from now on: between any two writes to the kernel, to files, to the datastore. */
  killAfter(node: string, points: number): void {
    const pid = this.pidOf(node);
    if (pid === undefined) return;
    writeFileSync(this.#killFile(node), String(points));
    process.kill(pid, 'SIGUSR2');
  }

  /** Lets that share of a node's changes of links, addresses, routes, neighbours and forwarding entries be refused from now on. */
  refuse(node: string, orders: RefusalOrders): void {
    writeFileSync(this.#refusalsFile(node), JSON.stringify(orders));
    const pid = this.pidOf(node);
    if (pid !== undefined) process.kill(pid, 'SIGUSR2');
  }

  /** What a node was refused so far, as it says what it would have done: "add route to 10.0.0.0/26". */
  refusals(node: string): string[] {
    const file = `${this.#refusalsFile(node)}.log`;
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** How often agents were started again. */
  get restarts(): number {
    return [...this.#agents.values()].reduce((sum, { restarts }) => sum + restarts, 0);
  }

  /** Resolves when a node has done all DELs that were kept for it. */
  async deletionsDone(node: string): Promise<void> {
    const folder = join(nodeRoot(this.run, node), 'lib', 'cni-deletions');
    const kept = () => readdirSync(folder).filter((name) => name.endsWith('.json'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => kept().length === 0 && resolve();
    const watcher = watch(folder, look);
    const timer = setTimeout(() => reject(new Error(`${node} still keeps ${kept()}`)), settleDeadlineMs);
    look();
    try {
      await promise;
    } finally {
      watcher.close();
      clearTimeout(timer);
    }
  }

  /** Names of the links that pods have on a node. */
  podLinks(node: string): string[] {
    using netlink = Rtnetlink.open({ namespace: this.#underlay.node(node).namespace });
    return netlink
      .links()
      .map(({ name }) => name)
      .filter((name) => name.startsWith('cali'));
  }

  /** The addresses of a pod's interface in the kernel. */
  kernelAddresses({ namespacePath }: Sandbox): string[] {
    const descriptor = openNamespace(namespacePath);
    try {
      using netlink = Rtnetlink.open({ namespace: descriptor });
      const link = netlink.link('eth0')?.index;
      return netlink
        .addresses()
        .filter((one) => one.link === link && !one.address.startsWith('fe80:'))
        .map(({ address }) => address);
    } finally {
      closeNamespace(descriptor);
    }
  }

  async #begin({ pools: specs, prepare }: AgentsOptions): Promise<void> {
    const { datastore } = this;
    for (const definition of crds()) await datastore.create(customResourceDefinitions, definition);
    await datastore.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    for (const [name, spec] of Object.entries(specs)) {
      await datastore.create(ipPools, {
        apiVersion: 'projectcalico.org/v3',
        kind: 'IPPool',
        metadata: { name },
        spec,
      });
    }
    const ready = new ReadyNodes(datastore, () => {});
    for (const { name, address } of this.#underlay.nodes) {
      await registerNode(datastore, name, address);
      mkdirSync(join(nodeRoot(this.run, name), 'lib', 'cni-deletions'), { recursive: true });
    }
    await prepare?.(this);
    for (const { name } of this.#underlay.nodes) this.#agents.set(name, this.#startAgent(name));
    try {
      await ready.waitFor(this.nodes, { deadlineMs: readyDeadlineMs, signal: this.#stopping.signal });
    } finally {
      ready.stop();
    }
  }

  #startAgent(node: string): Agent {
    return new Agent({
      node,
      root: nodeRoot(this.run, node),
      kubeconfig: nodeKubeconfig(this.run, node),
      environment: {
        ...(this.#families.includes(6) && { IP6: 'autodetect' }),
        ...this.#environment,
        ...this.#environments[node],
        [runVariable]: this.run.id,
        NODE_OPTIONS: injectors.map((path) => `--import=${path}`).join(' '),
        CALICO_TEST_KILL_FILE: this.#killFile(node),
        CALICO_TEST_REFUSALS: this.#refusalsFile(node),
      },
      spawnOnNode: this.#underlay.onNode(node),
      died: () => {},
    });
  }

  #call(
    command: 'ADD' | 'DEL' | 'GC',
    { pod, node, containerId, namespacePath }: Sandbox,
    configuration: object,
    signal: AbortSignal,
  ): Promise<string[]> {
    return callCni({
      plugin: this.#plugin,
      command,
      containerId,
      namespacePath,
      pod,
      configuration: JSON.stringify(configuration),
      environment: { [runVariable]: this.run.id },
      spawnOnNode: this.#underlay.onNode(node),
      signal,
    });
  }

  #killFile(node: string): string {
    return join(this.run.folder, `${node}.kill`);
  }

  #refusalsFile(node: string): string {
    return join(this.run.folder, `${node}.refusals`);
  }
}

/** The torture's own connections to a busy API server break at times; they are not what is judged. */
async function untilAnswered<R>(ask: () => Promise<R>): Promise<R> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      // What `fetch` throws when a connection breaks is a TypeError.
      const isBroken = error instanceof UnavailableError || error instanceof TypeError;
      if (!isBroken || tries === mostTries) throw error;
      await delay(retryMs);
    }
  }
}
