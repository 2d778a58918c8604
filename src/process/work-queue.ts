// Work to be done, by key: a key that waits is done once however often it was added, and what fails is tried again, ever later.

import { setTimeout as sleep } from 'node:timers/promises';
import { timerMs } from './timer-ms.ts';

export interface WorkQueueOptions {
  /** Does what a key stands for. What it rejects with is a reason to try again. */
  readonly work: (key: string) => Promise<void>;
  readonly onFailure: (key: string, error: unknown) => void;
  readonly firstRetryMs?: number;
  readonly longestRetryMs?: number;
}

/** One piece of work at a time: the work of a controller writes what the next piece reads. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#isStopped) return;
    this.#waiting.add(key);
    this.#running ??= this.#run();
  }

  /** Adds the key later; a key that has a time already keeps it. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isStopped || this.#timers.has(key)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, timerMs(delayMs));
    this.#timers.set(key, timer);
  }

  /** Resolves when the work that was being done has ended; what waited is not done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#waiting.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    // What is added in the same turn of the event loop comes along.
    await sleep(0);
    for (const key of this.#waiting) {
      this.#waiting.delete(key);
      await this.#do(key);
    }
    this.#running = undefined;
  }

  async #do(key: string): Promise<void> {
    const { work, onFailure, firstRetryMs = 200, longestRetryMs = 60_000 } = this.#options;
    try {
      await work(key);
      this.#failures.delete(key);
    } catch (error) {
      if (this.#isStopped) return;
      onFailure(key, error);
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.addAfter(key, Math.min(firstRetryMs * 2 ** failures, longestRetryMs));
    }
  }
}
