// The objects of a kind as the watch shows them, for controllers that look at many at once.
import type { Datastore, Follower } from '../datastore/index.ts';
import { keyOf, type Resource, type ResourceKind } from '../resources/index.ts';

export class ObjectCache<T extends Resource> {
  readonly #objects = new Map<string, T>();
  readonly #follower: Follower;
  readonly #inSync = Promise.withResolvers<void>();

  /** `changed` is told of every object that is new, other or gone: its key, and its states before and now, if there are any. */
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
        changed(key, before ? [before, object] : [object]);
      },
      onDelete: (_key, last) => {
        const key = keyOf(last);
        this.#objects.delete(key);
        changed(key, [last]);
      },
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

  list(): T[] {
    return [...this.#objects.values()];
  }

  stop(): void {
    this.#follower.stop();
  }
}
