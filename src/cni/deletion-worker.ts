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
const atOnce = 8;

export class DeletionWorker {
  readonly #options: DeletionWorkerOptions;
  readonly #firstPass = Promise.withResolvers<void>();
  #watcher: FSWatcher | undefined;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;
  #isStopped = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;

  constructor(options: DeletionWorkerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when everything that was kept by now has been tried once; what comes meanwhile need not be waited for. May be called again
   * when it failed. @throws the file system's errors
   */
  async start(): Promise<void> {
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Watched before it is read: a shim may keep one in between.
    this.#watcher ??= this.#watch(folder);
    this.#work();
    await this.#firstPass.promise;
  }

  #watch(folder: string): FSWatcher {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name?.endsWith('.json')) this.#work();
    });
    return watcher.on('error', (error) =>
      this.#options.log.error(
        { error, folder },
        'DELs that the plugin keeps are not noticed until the next start',
      ),
    );
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
      const areDone = await this.#settleAll().catch((error: unknown) => {
        this.#options.log.error({ error, folder: this.#options.folder }, 'Cannot look after the kept DELs');
        return false;
      });
      this.#firstPass.resolve();
      if (areDone) this.#retryMs = firstRetryMs;
      else this.#retryLater();
    }
  }

  /** Several at a time: after an outage there may be hundreds. Returns whether all are done. */
  async #settleAll(): Promise<boolean> {
    const waiting = keptDeletions(this.#options.folder);
    let areDone = true;
    const worker = async () => {
      for (let kept = waiting.pop(); kept && !this.#isStopped; kept = waiting.pop()) {
        if (!(await this.#settle(kept))) areDone = false;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return areDone;
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
