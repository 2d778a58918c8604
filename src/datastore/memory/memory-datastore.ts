// A store in memory that behaves as a Kubernetes API does: revisions, conflicts, status apart, selectors, ordered watches.
// For tests and for planning offline; nothing outlives the process. Unknown fields are refused where an API server drops them.
import { keyOf, type ObjectKey, type Resource, type ResourceKind } from '../../resources/index.ts';
import type { Datastore, Follower, FollowHandler, ListOptions } from '../datastore.ts';
import { AlreadyExistsError, ConflictError, InvalidResourceError, NotFoundError } from '../errors.ts';
import { FollowQueue } from './follow-queue.ts';
import { fieldTest, labelTest } from './label-selector.ts';
import { mergePatch } from './merge-patch.ts';
import { created, markedForDeletion, updated } from './stored-object.ts';

/** One request, as a fault injector sees it. */
export interface Operation {
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'updateStatus' | 'mergePatch' | 'delete';
  /** "IPAMBlock". */
  readonly kind: string;
  /** Absent when listing. */
  readonly key?: ObjectKey;
}

/** Called around every request. Throw before: it never arrived. Throw after: it was done, and the reply was lost. */
export interface Interference {
  before?(operation: Operation): void | Promise<void>;
  after?(operation: Operation): void | Promise<void>;
}

interface Table {
  readonly objects: Map<string, Resource>;
  readonly followers: Set<FollowQueue<Resource>>;
}

export class MemoryDatastore implements Datastore {
  readonly #tables = new Map<string, Table>();
  /** May be replaced at any time. */
  interference: Interference;
  #revision = 0;

  constructor(interference: Interference = {}) {
    this.interference = interference;
  }

  get<T extends Resource>(kind: ResourceKind<T>, key: ObjectKey): Promise<T> {
    return this.#perform({ verb: 'get', kind: kind.kind, key }, () => this.#held(kind, key));
  }

  list<T extends Resource>(kind: ResourceKind<T>, options: ListOptions = {}): Promise<T[]> {
    const matches = testOf(options);
    return this.#perform({ verb: 'list', kind: kind.kind }, () =>
      ([...this.#table(kind).objects.values()] as T[]).filter(matches),
    );
  }

  create<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#perform({ verb: 'create', kind: kind.kind, key: object.metadata }, () => {
      if (this.#table(kind).objects.has(keyOf(object))) {
        throw new AlreadyExistsError(`Cannot create ${kind.kind} "${keyOf(object)}": it exists already`);
      }
      return this.#store(kind, created(kind, object, ++this.#revision));
    });
  }

  update<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#replace('update', kind, object);
  }

  updateStatus<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#replace('updateStatus', kind, object);
  }

  mergePatch<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    patch: object,
    options: { readonly subresource?: 'status' } = {},
  ): Promise<T> {
    return this.#perform({ verb: 'mergePatch', kind: kind.kind, key }, () => {
      const stored = this.#held(kind, key);
      const patched = mergePatch(stored, patch) as T;
      this.#demand(kind, stored, patched.metadata);
      return this.#write(kind, stored, patched, options.subresource ?? 'object');
    });
  }

  async delete<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    precondition: { readonly resourceVersion?: string; readonly uid?: string } = {},
  ): Promise<void> {
    await this.#perform({ verb: 'delete', kind: kind.kind, key }, () => {
      const stored = this.#held(kind, key);
      this.#demand(kind, stored, precondition);
      if (!stored.metadata.finalizers?.length) this.#remove(kind, stored);
      else if (!stored.metadata.deletionTimestamp)
        this.#store(kind, markedForDeletion(stored, ++this.#revision));
    });
  }

  follow<T extends Resource>(
    kind: ResourceKind<T>,
    handler: FollowHandler<T>,
    options: ListOptions = {},
  ): Follower {
    const { objects, followers } = this.#table(kind);
    const queue = new FollowQueue<T>(handler, testOf(options), () => followers.delete(shared));
    const shared = queue as unknown as FollowQueue<Resource>;
    followers.add(shared);
    for (const object of objects.values()) queue.stored(object as T);
    queue.inSync();
    return queue;
  }

  async close(): Promise<void> {
    for (const { followers } of this.#tables.values()) for (const follower of [...followers]) follower.stop();
  }

  async #perform<R>(operation: Operation, act: () => R): Promise<R> {
    await this.interference.before?.(operation);
    const result = act();
    await this.interference.after?.(operation);
    return result;
  }

  #replace<T extends Resource>(
    verb: 'update' | 'updateStatus',
    kind: ResourceKind<T>,
    object: T,
  ): Promise<T> {
    return this.#perform({ verb, kind: kind.kind, key: object.metadata }, () => {
      const stored = this.#held(kind, object.metadata);
      if (!object.metadata.resourceVersion) {
        throw new InvalidResourceError(
          `Cannot update ${kind.kind} "${keyOf(object)}": it has no metadata.resourceVersion to compare`,
        );
      }
      this.#demand(kind, stored, object.metadata);
      return this.#write(kind, stored, object, verb === 'update' ? 'object' : 'status');
    });
  }

  #write<T extends Resource>(kind: ResourceKind<T>, stored: T, object: T, part: 'object' | 'status'): T {
    const next = updated(kind, stored, object, part, this.#revision + 1);
    if (next === stored) return stored;
    this.#revision++;
    if (next.metadata.deletionTimestamp && !next.metadata.finalizers?.length) this.#remove(kind, next);
    else this.#store(kind, next);
    return next;
  }

  #demand(
    kind: ResourceKind,
    stored: Resource,
    wanted: { readonly resourceVersion?: string; readonly uid?: string },
  ): void {
    for (const field of ['uid', 'resourceVersion'] as const) {
      if (wanted[field] !== undefined && wanted[field] !== stored.metadata[field]) {
        throw new ConflictError(
          `Cannot write ${kind.kind} "${keyOf(stored)}": its ${field} is "${stored.metadata[field]}", not "${wanted[field]}"`,
        );
      }
    }
  }

  #held<T extends Resource>(kind: ResourceKind<T>, key: ObjectKey): T {
    const object = this.#table(kind).objects.get(keyOf({ metadata: key }));
    if (!object) throw new NotFoundError(`There is no ${kind.kind} "${keyOf({ metadata: key })}"`);
    return object as T;
  }

  #store<T extends Resource>(kind: ResourceKind<T>, object: T): T {
    const { objects, followers } = this.#table(kind);
    objects.set(keyOf(object), object);
    for (const follower of followers) follower.stored(object);
    return object;
  }

  #remove(kind: ResourceKind, last: Resource): void {
    const { objects, followers } = this.#table(kind);
    objects.delete(keyOf(last));
    for (const follower of followers) follower.removed(last);
  }

  #table(kind: ResourceKind): Table {
    const name = `${kind.plural}.${kind.group}`;
    let table = this.#tables.get(name);
    if (!table) {
      table = { objects: new Map(), followers: new Set() };
      this.#tables.set(name, table);
    }
    return table;
  }
}

function testOf({ namespace, labelSelector, fieldSelector }: ListOptions): (object: Resource) => boolean {
  const byLabel = labelTest(labelSelector ?? '');
  const byField = fieldTest(fieldSelector ?? '');
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    byLabel(object) &&
    byField(object);
}
