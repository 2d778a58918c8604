// Does the DELs that were kept: at the start, whenever the shim keeps another one, and again after a while for those that
// still cannot be done, because a datastore that was away does not announce that it is back.
import { type FSWatcher, mkdirSync, watch } from 'node:fs';
import type { Logger } from '../process/index.ts';
import {
  forgetDeletion,
  type KeptDeletion,
  keepDeletion,
  keptDeletions,
  setDeletionAside,
} from './pending-deletions.ts';
import type { ShimRequest } from './wire.ts';

export interface DeletionWorkerOptions {
  readonly folder: string;
  /** Does one. Resolves with false when it cannot be done now and may be later. @throws when it never can */
  readonly perform: (request: ShimRequest) => Promise<boolean>;
  readonly log: Logger;
}

const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

export class DeletionWorker {
  readonly #options: DeletionWorkerOptions;
  #watcher: FSWatcher | undefined;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;
  #isStopped = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;

  constructor(options: DeletionWorkerOptions) {
    this.#options = options;
  }

  /** Resolves when everything that was kept has been tried once. */
  async start(): Promise<void> {
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Watched before it is read: a shim may keep one in between.
    this.#watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name?.endsWith('.json')) this.#work();
    });
    this.#work();
    await this.#running;
  }

  /** Keeps a DEL that could not be done now. */
  postpone(request: ShimRequest): void {
    keepDeletion(this.#options.folder, request);
    this.#retryLater();
  }

  /** Resolves when the one that is under way is done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#watcher?.close();
    clearTimeout(this.#retryTimer);
    await this.#running;
  }

  #work(): void {
    this.#isAskedAgain = true;
    this.#running ??= this.#untilDone().finally(() => {
      this.#running = undefined;
    });
  }

  async #untilDone(): Promise<void> {
    while (this.#isAskedAgain && !this.#isStopped) {
      this.#isAskedAgain = false;
      let areDone = true;
      for (const kept of keptDeletions(this.#options.folder)) {
        if (this.#isStopped) return;
        if (!(await this.#settle(kept))) areDone = false;
      }
      if (areDone) this.#retryMs = firstRetryMs;
      else this.#retryLater();
    }
  }

  /** Returns false when it has to wait longer. */
  async #settle(kept: KeptDeletion): Promise<boolean> {
    const { perform, log } = this.#options;
    const { request, path } = kept;
    try {
      if (!request) throw new Error('It is not what the CNI plugin writes');
      if (!(await perform(request))) return false;
      forgetDeletion(kept);
    } catch (error) {
      log.error(
        { error, path },
        'A kept DEL can never be done and is set aside; garbage collection releases its address',
      );
      setDeletionAside(kept);
    }
    return true;
  }

  #retryLater(): void {
    if (this.#isStopped || this.#retryTimer) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#work();
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
  }
}
