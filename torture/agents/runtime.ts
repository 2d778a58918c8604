// Container runtimes of several nodes, and a kubelet's part besides: pods come and go on all of them at once, what fails is
// tried again in a new sandbox, some sandboxes are forgotten, and the agents underneath die meanwhile.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CniError } from '../../src/lab/kubelet/cni.ts';
import type { Pod } from '../../src/resources/index.ts';
import { HeldAddresses } from '../ipam/ledger.ts';
import type { Random } from '../random.ts';
import type { Agents, Sandbox } from './agents.ts';

export interface Counts {
  added: number;
  deleted: number;
  /** ADDs that were refused or cut off, whatever for. */
  failed: number;
  /** Sandboxes for which no DEL ever came. */
  forgotten: number;
  /** Calls of the plugin that were killed. */
  cutOff: number;
}

const mostTries = 12;
const backoffMs = 300;

export class Runtime {
  readonly counts: Counts = { added: 0, deleted: 0, failed: 0, forgotten: 0, cutOff: 0 };
  readonly held = new HeldAddresses(0, () => new Date());
  /** Sandboxes that run, by the name of their pod. */
  readonly running = new Map<string, Sandbox>();
  readonly #agents: Agents;
  readonly #random: Random;
  #serial = 0;

  constructor(agents: Agents, random: Random) {
    this.#agents = agents;
    this.#random = random;
  }

  /** So many ADDs and DELs, `width` of them at once, that leave about `level` pods running. Tells how many have begun. */
  async work(
    { operations, width, level }: { operations: number; width: number; level: number },
    begins: (begun: number) => void,
  ): Promise<void> {
    let begun = 0;
    const worker = async () => {
      while (begun < operations) {
        begins(++begun);
        await this.#operation(level);
      }
    };
    await Promise.all(Array.from({ length: width }, worker));
  }

  async #operation(level: number): Promise<void> {
    const share = this.running.size / level;
    const [name] = this.running.size > 0 ? [this.#random.pick([...this.running.keys()])] : [];
    if (name !== undefined && this.#random.chance(share / 2)) {
      const sandbox = this.running.get(name);
      this.running.delete(name);
      if (sandbox) await this.#end(sandbox);
    } else {
      await this.#begin();
    }
  }

  async #begin(): Promise<void> {
    const name = `pod-${++this.#serial}`;
    const node = this.#random.pick(this.#agents.nodes);
    const pod = await this.#agents.createPod(name, node);
    for (let tries = 1; tries <= mostTries; tries++) {
      const sandbox = this.#sandbox(pod, node);
      const addresses = await this.#add(sandbox);
      if (addresses) {
        for (const address of addresses) this.held.take(address, name);
        this.running.set(name, sandbox);
        this.counts.added++;
        return;
      }
      await this.#clear(sandbox);
      await delay(backoffMs * Math.min(tries, 8));
    }
    await this.#agents.removePod(pod);
  }

  async #end(sandbox: Sandbox): Promise<void> {
    this.held.giveBack(sandbox.pod.metadata.name);
    await this.#clear(sandbox);
    await this.#agents.removePod(sandbox.pod);
    this.counts.deleted++;
  }

  #sandbox(pod: Pod, node: string): Sandbox {
    const containerId = `${randomUUID()}${randomUUID()}`.replaceAll('-', '');
    const namespacePath = this.#agents.makePodNamespace(namespaceName(pod, containerId));
    return { pod, node, containerId, namespacePath };
  }

  /** Undefined when it failed. */
  async #add(sandbox: Sandbox): Promise<string[] | undefined> {
    const isCut = this.#random.chance(0.05);
    const signal = isCut ? AbortSignal.timeout(this.#random.between(1, 120)) : undefined;
    try {
      return await this.#agents.call('ADD', sandbox, signal);
    } catch (error) {
      if (signal?.aborted) this.counts.cutOff++;
      else if (!(error instanceof CniError)) throw error;
      this.counts.failed++;
      return undefined;
    }
  }

  /** As runtimes do: DEL until it succeeds, before or after the namespace goes. Some runtimes forget. */
  async #clear(sandbox: Sandbox): Promise<void> {
    const name = namespaceName(sandbox.pod, sandbox.containerId);
    const isGone = this.#random.chance(0.2);
    if (isGone) this.#agents.removePodNamespace(name);
    if (this.#random.chance(0.07)) this.counts.forgotten++;
    else await this.#delete(sandbox);
    if (!isGone) this.#agents.removePodNamespace(name);
  }

  async #delete(sandbox: Sandbox): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#agents.call('DEL', sandbox);
        return;
      } catch (error) {
        if (!(error instanceof CniError) || tries === mostTries) throw error;
        await delay(backoffMs);
      }
    }
  }
}

function namespaceName({ metadata }: Pod, containerId: string): string {
  return `${metadata.name}-${containerId.slice(0, 8)}`;
}
