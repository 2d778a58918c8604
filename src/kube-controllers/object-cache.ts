// The objects of a kind as the watch shows them, for controllers that look at many at once.
import type { Datastore, Follower } from '../datastore/index.ts';
import { keyOf, type Resource, type ResourceKind } from '../resources/index.ts';

/** An object that is there and is not what its kind is: nobody knows what it says. */
export interface Unreadable {
  readonly object: Resource;
  /** 'spec.cidr is required'. */
  readonly fault: string;
}

export class ObjectCache<T extends Resource> {
  readonly #objects = new Map<string, T>();
  readonly #unreadable = new Map<string, Unreadable>();
  readonly #follower: Follower;
  readonly #inSync = Promise.withResolvers<void>();

  /**
   * `changed` is told of every object that is new, other or gone: its key, and its states before and now, as far as there are any
   * that can be read.
   */
  constructor(
    datastore: Datastore,
    kind: ResourceKind<T>,
    changed: (key: string, states: readonly T[]) => void,
  ) {
    this.#follower = datastore.follow(kind, {
      onUpsert: (object) => {
        const key = keyOf(object);
        const before = this.#objects.get(key);
        this.#objects.set(key, object);
        this.#unreadable.delete(key);
        changed(key, before ? [before, object] : [object]);
      },
      onMisfit: (object, fault) => {
        const before = this.#remove(object);
        this.#unreadable.set(keyOf(object), { object, fault });
        changed(keyOf(object), before);
      },
      onDelete: (_key, last) => changed(keyOf(last), this.#remove(last)),
      onInSync: () => this.#inSync.resolve(),
    });
  }

  /** Resolves when everything that existed at the start is known. */
  get inSync(): Promise<void> {
    return this.#inSync.promise;
  }

  /** By "namespace/name" or "name". */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  /** Without those that cannot be read. */
  list(): T[] {
    return [...this.#objects.values()];
  }

  /** By key. Whatever would be done for want of the object is not to be done while it is among these. */
  get unreadable(): ReadonlyMap<string, Unreadable> {
    return this.#unreadable;
  }

  stop(): void {
    this.#follower.stop();
  }

  /** Returns its last state, if that could be read. */
  #remove(object: Resource): T[] {
    const key = keyOf(object);
    const last = this.#objects.get(key);
    this.#objects.delete(key);
    this.#unreadable.delete(key);
    return last ? [last] : [];
  }
}
