// The store as one process sees it that lives dangerously: it may die before or after any write, replies get lost, writes come
// late, and others get in between. Objects are those of the store beneath, so that several such processes share one cluster.
import {
  ConflictError,
  type Datastore,
  type Follower,
  type FollowHandler,
  type ListOptions,
  UnavailableError,
} from '../../src/datastore/index.ts';
import type { ObjectKey, Resource, ResourceKind } from '../../src/resources/index.ts';
import type { Random } from '../random.ts';
import type { Interleaving } from './interleaving.ts';

/** The process is gone: nothing that it asks is answered. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** How often, of all writes (and for `unavailable` of all reads). */
export interface FaultRates {
  readonly crash: number;
  readonly conflict: number;
  readonly lostReply: number;
  readonly lateWrite: number;
  readonly unavailable: number;
}

export const noFaults: FaultRates = { crash: 0, conflict: 0, lostReply: 0, lateWrite: 0, unavailable: 0 };

/** How often each fault has struck, over all processes. */
export type FaultCounts = Record<keyof FaultRates, number>;

export class FaultyProcess implements Datastore {
  rates: FaultRates;
  /** Rejects when the process dies: whatever it was doing then, nobody learns how it ended. */
  readonly death: Promise<never>;
  readonly #store: Datastore;
  readonly #random: Random;
  readonly #interleaving: Interleaving;
  readonly #counts: FaultCounts;
  readonly #followers: Follower[] = [];
  readonly #endLife: (error: Crash) => void;
  #isDead = false;

  constructor(options: {
    readonly store: Datastore;
    readonly random: Random;
    readonly interleaving: Interleaving;
    readonly rates: FaultRates;
    readonly counts: FaultCounts;
  }) {
    this.#store = options.store;
    this.#random = options.random;
    this.#interleaving = options.interleaving;
    this.rates = options.rates;
    this.#counts = options.counts;
    const { promise, reject } = Promise.withResolvers<never>();
    this.death = promise;
    this.#endLife = reject;
    // Most die when nobody waits for them.
    promise.catch(() => {});
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  die(): void {
    this.#isDead = true;
    for (const follower of this.#followers) follower.stop();
    this.#endLife(new Crash('This process is dead'));
  }

  get<T extends Resource>(kind: ResourceKind<T>, key: ObjectKey): Promise<T> {
    return this.#read(() => this.#store.get(kind, key));
  }

  list<T extends Resource>(kind: ResourceKind<T>, options?: ListOptions): Promise<T[]> {
    return this.#read(() => this.#store.list(kind, options));
  }

  create<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#write(() => this.#store.create(kind, object));
  }

  update<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#write(() => this.#store.update(kind, object), kind.kind);
  }

  updateStatus<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#write(() => this.#store.updateStatus(kind, object), kind.kind);
  }

  mergePatch<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    patch: object,
    options?: { readonly subresource?: 'status' },
  ): Promise<T> {
    return this.#write(() => this.#store.mergePatch(kind, key, patch, options));
  }

  delete<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    precondition?: { readonly resourceVersion?: string; readonly uid?: string },
  ): Promise<void> {
    return this.#write(
      () => this.#store.delete(kind, key, precondition),
      precondition?.resourceVersion ? kind.kind : undefined,
    );
  }

  follow<T extends Resource>(
    kind: ResourceKind<T>,
    handler: FollowHandler<T>,
    options?: ListOptions,
  ): Follower {
    const follower = this.#store.follow(kind, handler, options);
    this.#followers.push(follower);
    return follower;
  }

  async close(): Promise<void> {
    this.die();
  }

  async #read<R>(act: () => Promise<R>): Promise<R> {
    await this.#travel();
    if (this.#strikes('unavailable')) throw new UnavailableError('The store did not answer');
    const result = await act();
    await this.#travel();
    return result;
  }

  /** `compared` names the kind when the write compares revisions, and so may be refused. */
  async #write<R>(act: () => Promise<R>, compared?: string): Promise<R> {
    await this.#travel();
    if (this.#strikes('crash')) this.#crash();
    if (compared && this.#strikes('conflict')) {
      throw new ConflictError(`Cannot write ${compared}: somebody else was faster`);
    }
    if (this.#strikes('lateWrite')) {
      void this.#later(act);
      throw new UnavailableError('The store did not answer in time');
    }
    const result = await act();
    if (this.#strikes('crash')) this.#crash();
    await this.#travel();
    if (this.#strikes('lostReply')) throw new UnavailableError('The reply was lost');
    return result;
  }

  async #later(act: () => Promise<unknown>): Promise<void> {
    for (let turns = this.#random.below(12); turns > 0; turns--) await this.#interleaving.turn();
    // Nobody waits for the answer any more, whatever it is.
    await act().catch(() => {});
  }

  async #travel(): Promise<void> {
    if (!this.#isDead) await this.#interleaving.turn();
    if (this.#isDead) throw new Crash('This process is dead');
  }

  #crash(): never {
    this.die();
    throw new Crash('This process died');
  }

  #strikes(fault: keyof FaultRates): boolean {
    const isStruck = this.#random.chance(this.rates[fault]);
    if (isStruck) this.#counts[fault]++;
    return isStruck;
  }
}
