// Keeps a follower told of a kind: one full list, then a watch that is resumed where it broke off, and a new list with the
// differences when the server no longer remembers that place. Source:
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf, type ObjectKey, type Resource, type ResourceKind } from '../../resources/index.ts';
import type { Follower, FollowHandler, FollowProgress, ListOptions } from '../datastore.ts';
import { NotFoundError, UnavailableError } from '../errors.ts';
import { queryPath } from './api-path.ts';
import { Backoff, type BackoffRange } from './backoff.ts';
import { jsonLines } from './json-lines.ts';
import { listPages, received } from './list.ts';
import { isMissingKind } from './missing-kind.ts';
import { ExpiredError, type StatusDocument, statusError, TurnedAwayError } from './status-error.ts';
import type { Transport } from './transport.ts';

export interface ReflectorOptions {
  readonly backoff: BackoffRange;
  /** A watch on which not even a bookmark came for so long is dead, whatever TCP believes. */
  readonly silenceMs: number;
  /** Told, in a sentence, why a list or watch had to be tried again. */
  readonly onTrouble: (message: string) => void;
  /** Told that the server answers again. */
  readonly onHeardAgain: () => void;
}

interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T & StatusDocument;
}

/** What a handler threw, which is a fault of the program and none of the watch. */
class HandlerFault extends Error {}

export class Reflector<T extends Resource> implements Follower {
  readonly #transport: Transport;
  readonly #kind: ResourceKind<T>;
  readonly #handler: FollowHandler<T>;
  readonly #selection: ListOptions;
  readonly #options: ReflectorOptions;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  /** Everything the follower was told of: what a later list lacks was deleted meanwhile. */
  readonly #held = new Map<string, T>();
  /** Where the watch goes on; undefined when only a list can tell. */
  #revision: string | undefined;
  #isInSync = false;
  /** The cluster does not have the kind, and that was told. */
  #isMissing = false;
  #progress: FollowProgress = 'in step';
  /** Ends the present pause, if there is one that may be cut short. */
  #wake: (() => void) | undefined;

  constructor(
    transport: Transport,
    kind: ResourceKind<T>,
    handler: FollowHandler<T>,
    selection: ListOptions,
    options: ReflectorOptions,
  ) {
    this.#transport = transport;
    this.#kind = kind;
    this.#handler = handler;
    this.#selection = selection;
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
    // Not awaited: it ends with stop(). It rejects only with what a handler threw, which then ends the process.
    void this.#run();
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Another follower has heard the server again: there is no use in waiting longer. */
  wake(): void {
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped()) {
      try {
        this.#revision ??= await this.#list();
        if (this.#revision === undefined) {
          await this.#pause(0);
          continue;
        }
        const wasOfUse = await this.#watch(this.#revision);
        // Servers end watches in the ordinary course; one that ends them at once must not be asked in a tight loop.
        if (wasOfUse) this.#backoff.reset();
        else await this.#pause(0);
      } catch (error) {
        if (error instanceof HandlerFault) throw error.cause;
        if (this.#isStopped()) return;
        // A watch of a kind that is not there any more begins with a list as well, which then says so.
        if (error instanceof ExpiredError || error instanceof NotFoundError) this.#revision = undefined;
        this.#options.onTrouble(error instanceof Error ? error.message : String(error));
        this.#progressed('behind');
        await this.#pause(error instanceof TurnedAwayError ? error.retryAfterMs : 0);
      }
    }
  }

  /** Returns undefined when the cluster does not have the kind, which is as if it had no object of it. */
  async #list(): Promise<string | undefined> {
    let listed = new Set<string>();
    let revision: string | undefined;
    try {
      revision = await listPages(
        this.#transport,
        this.#kind,
        this.#selection,
        (items) => {
          this.#heard('catching up');
          for (const object of items) {
            if (this.#isStopped()) return;
            listed.add(keyOf(object));
            this.#upsert(object);
          }
        },
        () => {
          listed = new Set();
        },
      );
    } catch (error) {
      if (!(error instanceof NotFoundError) || !(await isMissingKind(this.#transport, this.#kind)))
        throw error;
    }
    if (this.#isStopped()) return undefined;
    this.#noteMissing(revision === undefined);
    for (const [key, last] of this.#held) {
      if (!listed.has(key)) this.#delete(key, last);
    }
    if (!this.#isInSync) {
      this.#isInSync = true;
      this.#tell(() => this.#handler.onInSync());
    }
    this.#heard('in step');
    return revision;
  }

  /** The server answers. */
  #heard(progress: FollowProgress): void {
    if (this.#progress === 'behind') this.#options.onHeardAgain();
    if (this.#progress !== 'in step') this.#progressed(progress);
  }

  #progressed(progress: FollowProgress): void {
    if (this.#progress === progress || !this.#isInSync || this.#isStopped()) return;
    this.#progress = progress;
    this.#tell(() => this.#handler.onProgress?.(progress));
  }

  /** Once, for as long as it lasts. */
  #noteMissing(isMissing: boolean): void {
    if (isMissing && !this.#isMissing) {
      this.#options.onTrouble(
        `The cluster has no ${this.#kind.plural}.${this.#kind.group}: going on without, and asking again from time to time`,
      );
    }
    this.#isMissing = isMissing;
  }

  /** Returns, when the server ends the watch, whether it was of use; throws when the watch fails. */
  async #watch(from: string): Promise<boolean> {
    const silence = new AbortController();
    const fallSilent = () => silence.abort(new Error('the watch fell silent'));
    const timer = setTimeout(fallSilent, this.#options.silenceMs);
    const started = performance.now();
    let sawEvents = false;
    try {
      const bytes = await this.#transport.stream(
        {
          method: 'GET',
          attempt: `Cannot watch ${this.#kind.kind} objects`,
          path: queryPath(this.#kind, this.#selection, {
            watch: 'true',
            allowWatchBookmarks: 'true',
            resourceVersion: from,
            // Spread out, so that a thousand nodes do not come back in the same second.
            timeoutSeconds: String(Math.round(300 * (1 + Math.random()))),
          }),
        },
        AbortSignal.any([this.#stopping.signal, silence.signal]),
      );
      this.#heard('in step');
      for await (const event of jsonLines(bytes)) {
        timer.refresh();
        if (this.#isStopped()) return sawEvents;
        this.#take(event as WatchEvent<T>);
        sawEvents = true;
        this.#backoff.reset();
      }
    } catch (error) {
      const isSilent = silence.signal.aborted;
      if (!isSilent && !isBrokenStream(error)) throw error;
      const why = isSilent ? `nothing was heard for ${this.#options.silenceMs} ms` : 'the stream broke off';
      throw new UnavailableError(`Cannot watch ${this.#kind.kind} objects: ${why}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
    // A watch that outlived the longest pause was a good one, though nothing happened on it.
    return sawEvents || performance.now() - started > this.#options.backoff.maxMs;
  }

  #take({ type, object }: WatchEvent<T>): void {
    if (type === 'ERROR') {
      throw statusError(`Cannot watch ${this.#kind.kind} objects`, object.code ?? 500, object);
    }
    if (type === 'ADDED' || type === 'MODIFIED') this.#upsert(received(this.#kind, object));
    else if (type === 'DELETED') this.#delete(keyOf(object), received(this.#kind, object));
    this.#revision = object.metadata.resourceVersion;
  }

  #upsert(object: T): void {
    const key = keyOf(object);
    const known = this.#held.get(key)?.metadata;
    this.#held.set(key, object);
    // A list repeats what is known already; only what differs is news.
    if (
      known &&
      known.uid === object.metadata.uid &&
      known.resourceVersion === object.metadata.resourceVersion
    )
      return;
    this.#tell(() => this.#handler.onUpsert(object));
  }

  #delete(key: string, last: T): void {
    if (!this.#held.delete(key) || this.#isStopped()) return;
    const { name, namespace } = last.metadata;
    const objectKey: ObjectKey = namespace ? { namespace, name } : { name };
    this.#tell(() => this.#handler.onDelete(objectKey, last));
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (cause) {
      throw new HandlerFault('A handler threw', { cause });
    }
  }

  async #pause(atLeastMs: number): Promise<void> {
    const waking = new AbortController();
    // Whoever was asked for patience has it, whatever others hear.
    if (atLeastMs === 0) this.#wake = () => waking.abort();
    await sleep(Math.max(atLeastMs, this.#backoff.next()), undefined, {
      signal: AbortSignal.any([this.#stopping.signal, waking.signal]),
    }).catch(() => {
      // Stopped while waiting, which the loop sees itself, or woken.
    });
    this.#wake = undefined;
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }
}

/** What undici throws while a body is read, or what JSON.parse says of a damaged line; all else has its sentence already. */
function isBrokenStream(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof Error && 'code' in error);
}
