// One pod's sandbox: its network namespace and what the CNI plugin made in it. Set up once, torn down once, in that order,
// however fast the pod comes and goes.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { keyOf, type Pod } from '../../resources/index.ts';
import { CniError, callCni, tryAgainLater } from './cni.ts';

/** What a sandbox needs of its node. */
export interface SandboxHost {
  readonly plugin: string;
  readonly configuration: string;
  /** Variables that its processes have besides the lab's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly spawnOnNode: <T>(start: () => T) => T;
  /** Makes a network namespace for the pod and returns its path. */
  readonly makeNamespace: (name: string) => string;
  readonly removeNamespace: (name: string) => void;
  /** Aborted when the whole node stops. */
  readonly signal: AbortSignal;
  readonly report: (message: string) => void;
}

/** Waits between attempts of a refused plugin, in ms; the last one goes on. */
const backoffMs = [100, 200, 400, 800, 1600, 3000] as const;

export class Sandbox {
  readonly pod: Pod;
  readonly #host: SandboxHost;
  readonly #containerId = randomBytes(32).toString('hex');
  readonly #namespace: string;
  readonly #cancelled = new AbortController();
  #ready: Promise<unknown> = Promise.resolve();
  #path = '';

  constructor(pod: Pod, host: SandboxHost) {
    this.pod = pod;
    this.#host = host;
    this.#namespace = `${pod.metadata.namespace}-${pod.metadata.name}-${this.#containerId.slice(0, 6)}`;
  }

  get namespacePath(): string {
    return this.#path;
  }

  /** The pod's addresses, once the plugin has made its interface; rejects when the sandbox is torn down first. */
  setUp(): Promise<string[]> {
    const signal = AbortSignal.any([this.#host.signal, this.#cancelled.signal]);
    this.#path = this.#host.makeNamespace(this.#namespace);
    const attempt = this.#untilAccepted('ADD', signal);
    this.#ready = attempt.catch(() => undefined);
    return attempt;
  }

  /** Ends a set-up that is under way, then releases what it made. */
  async tearDown(): Promise<void> {
    this.#cancelled.abort(new Error(`Pod ${keyOf(this.pod)} was deleted`));
    await this.#ready;
    await this.#untilAccepted('DEL', this.#host.signal);
    this.#host.removeNamespace(this.#namespace);
  }

  async #untilAccepted(command: 'ADD' | 'DEL', signal: AbortSignal): Promise<string[]> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await callCni({
          ...this.#host,
          command,
          containerId: this.#containerId,
          namespacePath: this.#path,
          pod: this.pod,
          signal,
        });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CniError)) throw error;
        // An agent that is not up yet is no news; anything else is, although it too may pass.
        if (error.code !== tryAgainLater) this.#host.report(error.message);
        const wait = backoffMs[Math.min(attempt, backoffMs.length - 1)];
        await delay(wait, undefined, { signal });
      }
    }
  }
}
