// A cluster of the lab under a flood of probes, whose agents reach their API server through a gate that can make it fail in
// every way. Used by the short selection in the tests and by the long loops of torture.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ApiServer, startApiServer } from '../../src/apiserver/index.ts';
import { nodeKubeconfig } from '../../src/lab/api.ts';
import { writeNodeKubeconfig } from '../../src/lab/kubeconfig.ts';
import { namespacePrefix } from '../../src/lab/run/run.ts';
import { type ApiFault, ApiGate } from './api-gate.ts';
import type { HostileObject } from './hostile-objects.ts';
import { type Fare, KilledCluster } from './killed-cluster.ts';
import { plantObjects, uprootObjects } from './planted-objects.ts';

const gateway = '172.30.0.1';
const gatePort = 6444;
export const nodesOfLab = ['node-1', 'node-2'] as const;

/** What can be done to the API server, by name. `restart` is done to the server itself, the others at the gate. */
export const apiFaults = {
  stopped: 'restart',
  away: { kind: 'away' },
  slow: { kind: 'slow', ms: 300 },
  'very slow': { kind: 'slow', ms: 2_000 },
  'error 500': { kind: 'status', code: 500 },
  'error 503 with patience': { kind: 'status', code: 503, retryAfter: 1 },
  'error 429 with patience': { kind: 'status', code: 429, retryAfter: 1 },
  'error 410': { kind: 'status', code: 410 },
  'half a document': { kind: 'half' },
  silent: { kind: 'silent' },
  empty: 'empty',
} as const satisfies Record<string, ApiFault | 'restart' | 'empty'>;
export type ApiFaultName = keyof typeof apiFaults;

export interface ApiFaultOutcome extends Fare {
  /** From the fault's end until every node enforced what had changed meanwhile. */
  readonly convergedMs: number;
  /** How many requests of agents met the fault; of a server that was stopped itself nobody counts them. */
  readonly met: number;
}

export class FaultyApi {
  readonly killed: KilledCluster;
  readonly #gate: ApiGate;
  readonly #empty: ApiServer;
  #round = 0;

  static async start(id: string): Promise<FaultyApi> {
    const killed = await KilledCluster.start(id);
    try {
      const { run, kubeconfig } = killed.cluster;
      const server = /server: (\S+)/.exec(readFileSync(kubeconfig, 'utf8'))?.[1] ?? '';
      const { protocol, host } = new URL(server);
      const underlay = `/run/netns/${namespacePrefix(run.id)}.underlay`;
      const gate = await ApiGate.open(underlay, { address: gateway, port: gatePort }, `${protocol}//${host}`);
      const empty = await startApiServer({ database: ':memory:' });
      const faulty = new FaultyApi(killed, gate, empty);
      for (const node of nodesOfLab) {
        const token = join(run.folder, 'token');
        writeNodeKubeconfig(nodeKubeconfig(run, node), `http://${gateway}:${gatePort}`, token);
        await killed.kill(node, 'graceful', 0);
      }
      return faulty;
    } catch (error) {
      await killed.stop();
      throw error;
    }
  }

  private constructor(killed: KilledCluster, gate: ApiGate, empty: ApiServer) {
    this.killed = killed;
    this.#gate = gate;
    this.#empty = empty;
  }

  /**
   * Makes the API server fail for so long, changes policies meanwhile, and resolves when every node enforces what has changed,
   * without having started again.
   * @param isLongEnough holds the fault on beyond that time until it is true
   * @throws Error when a node does not converge within a minute, its agent has started again, or nobody met the fault
   */
  async endure(name: ApiFaultName, ms: number, isLongEnough = () => true): Promise<ApiFaultOutcome> {
    const { killed } = this;
    const [gone, come] = [`before-${++this.#round}`, `after-${this.#round}`];
    await killed.createPolicy(gone);
    await killed.until(() => nodesOfLab.every((node) => killed.enforces(node, gone)), `${gone} in force`);
    const restarts = this.#restarts();
    const hasConverged = (node: string) => killed.enforces(node, come) && !killed.enforces(node, gone);
    const hasAllConverged = () => nodesOfLab.every(hasConverged);
    let ended = 0;
    let met = 0;
    const fare = await killed.flood(async () => {
      const fault: ApiFault | 'restart' | 'empty' = apiFaults[name];
      const meanwhile = async () => {
        if (fault !== 'restart') await this.#change(gone, come);
        await delay(ms);
        await killed.until(isLongEnough, `the agents to notice that their API server is ${name}`);
        // A server that is no worse than slow serves: pods come and go, and what changes is followed.
        if (typeof fault !== 'object' || fault.kind !== 'slow') return;
        for (const node of nodesOfLab) await killed.passPod(node);
        await killed.until(hasAllConverged, `${come} in force and ${gone} gone, of a slow API server`);
      };
      if (fault === 'restart') {
        await killed.cluster.restartApi(meanwhile);
        ended = performance.now();
        await this.#change(gone, come);
      } else {
        this.#gate.fault = fault === 'empty' ? { kind: 'other', server: this.#empty.url } : fault;
        await meanwhile();
        met = this.#gate.met;
        this.#gate.fault = undefined;
        if (met === 0)
          throw new Error(`No agent asked its API server while it was ${name}: nothing was tried`);
        ended = performance.now();
      }
      await killed.until(hasAllConverged, `${come} in force and ${gone} gone`);
    });
    const convergedMs = performance.now() - ended;
    if (this.#restarts() !== restarts) throw new Error(`An agent died while its API server was ${name}`);
    await killed.deletePolicy(come);
    return { ...fare, convergedMs, met };
  }

  /**
   * Puts objects straight into the store, changes a policy, takes the objects out again, and resolves when every node enforces
   * the change and nothing of them, without having started again.
   */
  async harbour(objects: readonly HostileObject[]): Promise<Omit<ApiFaultOutcome, 'met'>> {
    const { killed } = this;
    const database = join(killed.cluster.run.folder, 'api.sqlite');
    const restarts = this.#restarts();
    const policy = `amidst-${++this.#round}`;
    const isInForce = () => nodesOfLab.every((node) => killed.enforces(node, policy));
    let planted = 0;
    let convergedMs = 0;
    const fare = await killed.flood(async () => {
      await killed.cluster.restartApi(async () => plantObjects(database, objects));
      planted = performance.now();
      await killed.createPolicy(policy);
      await killed.until(isInForce, `${policy} in force amidst hostile objects`);
      convergedMs = performance.now() - planted;
      await killed.cluster.restartApi(async () => uprootObjects(database, objects));
      await killed.deletePolicy(policy);
      const isGone = (node: string) => !killed.enforces(node, policy);
      await killed.until(() => nodesOfLab.every(isGone), `${policy} gone`);
    });
    if (this.#restarts() !== restarts) throw new Error('An agent died of a hostile object');
    return { ...fare, convergedMs };
  }

  async stop(): Promise<void> {
    await this.killed.stop();
    await this.#gate.close();
    await this.#empty.close();
  }

  async #change(gone: string, come: string): Promise<void> {
    await this.killed.createPolicy(come);
    await this.killed.deletePolicy(gone);
  }

  #restarts(): number {
    return this.killed.cluster.status().nodes.reduce((sum, { agentRestarts }) => sum + agentRestarts, 0);
  }
}
