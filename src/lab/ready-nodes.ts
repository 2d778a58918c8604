// Which nodes are ready, kept up to date from the API, and how to wait for them without asking again and again.
import type { Datastore, Follower } from '../datastore/index.ts';
import { Changes, type Patience } from './condition.ts';
import { followReadiness } from './kubelet/node-status.ts';

export class ReadyNodes implements Follower {
  readonly #ready = new Set<string>();
  readonly #changes = new Changes();
  readonly #follower: Follower;

  constructor(datastore: Datastore, report: (message: string) => void) {
    const changed = (node: string, ready: boolean): void => {
      if (ready) this.#ready.add(node);
      else this.#ready.delete(node);
      this.#changes.notify();
    };
    this.#follower = followReadiness(datastore, changed, report);
  }

  has(node: string): boolean {
    return this.#ready.has(node);
  }

  /** Resolves when all of these nodes are ready. @throws Error that names those that are not by the deadline */
  waitFor(names: readonly string[], patience: Patience): Promise<void> {
    const missing = () => names.filter((name) => !this.#ready.has(name));
    return this.#changes.until(
      () => missing().length === 0,
      patience,
      () => `Not ready after ${patience.deadlineMs / 1000} s: ${missing().join(', ')}`,
    );
  }

  stop(): void {
    this.#follower.stop();
  }
}
