// The cluster of one schedule: a store in memory with a pool or two, nodes whose agents may die and come again, pods as the
// runtime would make and remove them, a garbage collector, and a clock.
import assert from 'node:assert/strict';
import { MemoryDatastore } from '../../src/datastore/index.ts';
import { FollowedSources, GarbageCollector, IpamClient } from '../../src/ipam/index.ts';
import { type Address, type Family, formatAddress } from '../../src/net/index.ts';
import {
  type IPAMConfiguration,
  type IPPool,
  ipamConfigurations,
  ipPools,
  nodes,
  type Pod,
  pods,
} from '../../src/resources/index.ts';
import type { Random } from '../random.ts';
import { type FaultCounts, type FaultRates, FaultyProcess } from './faulty-process.ts';
import type { Interleaving } from './interleaving.ts';
import { HeldAddresses } from './ledger.ts';

const apiVersion = 'projectcalico.org/v3';
const namespace = 'torture';

/** One run of a program: a process and what it has in memory. */
interface Agent {
  readonly process: FaultyProcess;
  readonly ipam: IpamClient;
}

export interface ClusterOptions {
  readonly random: Random;
  readonly interleaving: Interleaving;
  readonly rates: FaultRates;
  readonly counts: FaultCounts;
  readonly pools: readonly IPPool['spec'][];
  readonly nodes: readonly string[];
  readonly configuration: IPAMConfiguration['spec'];
}

export class TortureCluster {
  readonly store = new MemoryDatastore();
  readonly held: HeldAddresses;
  readonly #options: ClusterOptions;
  readonly #agents = new Map<string, Agent>();
  #time = Date.parse('2026-01-01T00:00:00Z');

  readonly now = (): Date => new Date(this.#time);

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.held = new HeldAddresses(options.configuration.ipCooldownSeconds ?? 0, this.now);
  }

  static async make(options: ClusterOptions): Promise<TortureCluster> {
    const cluster = new TortureCluster(options);
    const { store } = cluster;
    for (const [index, spec] of options.pools.entries()) {
      await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: `p${index}` }, spec });
    }
    await store.create(ipamConfigurations, {
      apiVersion,
      kind: 'IPAMConfiguration',
      metadata: { name: 'default' },
      spec: options.configuration,
    });
    for (const name of options.nodes) {
      await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    }
    return cluster;
  }

  advance(seconds: number): void {
    this.#time += seconds * 1000;
  }

  /** The node's agent; one that died is started again, and remembers nothing. */
  agent(node: string): Agent {
    const running = this.#agents.get(node);
    if (running && !running.process.isDead) return running;
    const process = this.process(this.#options.rates);
    const view = new FollowedSources(process, node);
    const agent = { process, ipam: new IpamClient(process, { view, now: this.now }) };
    this.#agents.set(node, agent);
    return agent;
  }

  process(rates: FaultRates): FaultyProcess {
    const { random, interleaving, counts } = this.#options;
    return new FaultyProcess({ store: this.store, random, interleaving, rates, counts });
  }

  collector(process: FaultyProcess): GarbageCollector {
    return new GarbageCollector(process, { now: this.now, elapsedMs: () => this.now().getTime() });
  }

  async createPod(name: string, nodeName: string): Promise<void> {
    await this.store.create<Pod>(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { nodeName },
    });
  }

  async deletePod(name: string): Promise<void> {
    this.held.giveBack(name);
    await this.store.delete(pods, { namespace, name });
  }

  async add(name: string, node: string, families: readonly Family[]): Promise<void> {
    const addresses = await this.#ask(node, (ipam) =>
      ipam.autoAssign({
        node,
        handleId: handleOf(name),
        attributes: attributesOf(name, node),
        use: 'Workload',
        count: Object.fromEntries(families.map((family) => [family, 1])),
      }),
    );
    assert.deepEqual(
      addresses.map(({ family }) => family),
      families,
    );
    await this.#started(name, addresses);
  }

  async addAt(name: string, node: string, address: Address): Promise<void> {
    const attributes = attributesOf(name, node);
    const request = { node, address, handleId: handleOf(name), attributes };
    await this.#ask(node, (ipam) => ipam.assignAddress(request));
    await this.#started(name, [address]);
  }

  async release(name: string, node: string): Promise<void> {
    this.held.giveBack(name);
    await this.#ask(node, (ipam) => ipam.releaseByHandle(handleOf(name)));
  }

  /** The node goes with its agent, its pods and its object; its blocks are left to the garbage collector, or given up here. */
  async removeNode(node: string, givesUpBlocks: boolean): Promise<void> {
    this.#agents.get(node)?.process.die();
    for (const pod of await this.store.list(pods)) {
      if (pod.spec?.nodeName === node) await this.deletePod(pod.metadata.name);
    }
    await this.store.delete(nodes, { name: node });
    if (givesUpBlocks) {
      await this.#ask(node, (ipam) => ipam.releaseHostAffinities(node, { mustBeEmpty: false }));
    }
  }

  #ask<R>(node: string, request: (ipam: IpamClient) => Promise<R>): Promise<R> {
    const { process, ipam } = this.agent(node);
    return Promise.race([request(ipam), process.death]);
  }

  async #started(name: string, addresses: readonly Address[]): Promise<void> {
    for (const address of addresses) this.held.take(formatAddress(address), name);
    const podIPs = addresses.map((address) => `${formatAddress(address)}/${address.family === 4 ? 32 : 128}`);
    const annotations = { 'cni.projectcalico.org/podIPs': podIPs.join(',') };
    await this.store.mergePatch(pods, { namespace, name }, { metadata: { annotations } });
  }
}

function handleOf(pod: string): string {
  return `torture.${pod}`;
}

function attributesOf(pod: string, node: string): Record<string, string> {
  return { pod, namespace, node };
}
