// A store in memory that holds, beside what it was given in the ordinary way, whatever was planted in it past every validation.
import {
  type Follower,
  type FollowHandler,
  type ListOptions,
  MemoryDatastore,
} from '../../src/datastore/index.ts';
import { keyOf, type ObjectKey, type Resource, type ResourceKind } from '../../src/resources/index.ts';
import type { HostileObject } from './hostile-objects.ts';

export class PlantedStore extends MemoryDatastore {
  readonly #planted = new Map<string, Map<string, Resource>>();
  readonly #handlers = new Map<string, Set<FollowHandler<Resource>>>();

  plant({ kind, object }: HostileObject): void {
    this.#at(kind).set(keyOf(object), object);
    for (const handler of this.#handlersOf(kind)) handler.onUpsert(object);
  }

  uproot({ kind, object }: HostileObject): void {
    if (!this.#at(kind).delete(keyOf(object))) return;
    const { namespace, name } = object.metadata;
    const key = namespace === undefined ? { name } : { namespace, name };
    for (const handler of this.#handlersOf(kind)) handler.onDelete(key, object);
  }

  override async get<T extends Resource>(kind: ResourceKind<T>, key: ObjectKey): Promise<T> {
    return (this.#at(kind).get(keyOf({ metadata: key })) as T | undefined) ?? super.get(kind, key);
  }

  override async list<T extends Resource>(kind: ResourceKind<T>, options?: ListOptions): Promise<T[]> {
    return [...(await super.list(kind, options)), ...([...this.#at(kind).values()] as T[])];
  }

  override follow<T extends Resource>(
    kind: ResourceKind<T>,
    handler: FollowHandler<T>,
    options?: ListOptions,
  ): Follower {
    const follower = super.follow(kind, handler, options);
    const handlers = this.#handlersOf(kind);
    const mine = handler as unknown as FollowHandler<Resource>;
    // As later ones: nobody is told of anything before he has what he asked for in his hands.
    setImmediate(() => {
      for (const object of this.#at(kind).values()) mine.onUpsert(object);
      handlers.add(mine);
    });
    return {
      stop: () => {
        handlers.delete(mine);
        follower.stop();
      },
    };
  }

  #at(kind: ResourceKind): Map<string, Resource> {
    const path = `${kind.group}/${kind.plural}`;
    const objects = this.#planted.get(path) ?? new Map<string, Resource>();
    this.#planted.set(path, objects);
    return objects;
  }

  #handlersOf(kind: ResourceKind): Set<FollowHandler<Resource>> {
    const path = `${kind.group}/${kind.plural}`;
    const handlers = this.#handlers.get(path) ?? new Set();
    this.#handlers.set(path, handlers);
    return handlers;
  }
}
