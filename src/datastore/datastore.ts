// The one interface between the programs and whatever stores their objects. It does no I/O itself;
// kubernetes/ and memory/ implement it, and one case suite runs over both.
import type { ObjectKey, Resource, ResourceKind } from '../resources/index.ts';

export interface ListOptions {
  /** Only this namespace; every namespace when absent. */
  readonly namespace?: string;
  /** Kubernetes label selector, as in a URL ("a=b,c in (d,e)"). */
  readonly labelSelector?: string;
  /** Kubernetes field selector ("spec.nodeName=node-1"); the store must support the field. */
  readonly fieldSelector?: string;
}

/** Told of an object that is not what its kind is, as it is stored, and why: 'spec.cidr is required'. */
export type OnMisfit<T extends Resource> = (object: T, fault: string) => void;

/**
 * Told of every object of a kind, in an order that may be followed blindly: a first full listing ends with `onInSync`;
 * a re-listing reports what it no longer holds as deletions. Handlers are synchronous and must not throw.
 */
export interface FollowHandler<T extends Resource> {
  /** `stored` is what the store holds where that is not what its kind is, and `object` what is left of it. */
  onUpsert(object: T, stored?: T): void;
  /** `last` is the last state that was seen. */
  onDelete(key: ObjectKey, last: T): void;
  /** Called once, when everything that existed at the first listing has been reported. */
  onInSync(): void;
  /** Told instead of `onUpsert`, by a store that judges; without it there is no such object. */
  onMisfit?(object: T, fault: string): void;
  /** Told, once in sync, how far what was told is what the store holds. */
  onProgress?(progress: FollowProgress): void;
}

/** The store cannot be heard; it is heard again and what was missed is being told; all that was missed has been told. */
export type FollowProgress = 'behind' | 'catching up' | 'in step';

export interface Follower {
  /** Ends the watch; no handler is called afterwards. */
  stop(): void;
}

export interface Datastore {
  /** @throws NotFoundError when there is no such object. */
  get<T extends Resource>(kind: ResourceKind<T>, key: ObjectKey): Promise<T>;
  /** Every object, in pages underneath; an empty array when there is none. A store that judges tells `onMisfit` of misfits. */
  list<T extends Resource>(
    kind: ResourceKind<T>,
    options?: ListOptions,
    onMisfit?: OnMisfit<T>,
  ): Promise<T[]>;
  /** Returns what was stored, with uid and resourceVersion. @throws AlreadyExistsError, InvalidResourceError */
  create<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T>;
  /**
   * Replaces an object whose `metadata.resourceVersion` is still the stored one.
   * @throws ConflictError when it is not, NotFoundError, InvalidResourceError
   */
  update<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T>;
  /** As `update`, for the status subresource alone. */
  updateStatus<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T>;
  /** JSON merge patch (RFC 7396), on the object or on its status. @throws NotFoundError, ConflictError, InvalidResourceError */
  mergePatch<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    patch: object,
    options?: { readonly subresource?: 'status' },
  ): Promise<T>;
  /**
   * Deletes; with a revision or uid only that very state or object.
   * @throws NotFoundError when there is nothing, ConflictError when the precondition fails
   */
  delete<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    precondition?: { readonly resourceVersion?: string; readonly uid?: string },
  ): Promise<void>;
  /** Lists and then watches a kind until stopped; survives restarts of the store, expired revisions and silence. */
  follow<T extends Resource>(
    kind: ResourceKind<T>,
    handler: FollowHandler<T>,
    options?: ListOptions,
  ): Follower;
  /** Releases connections and stops every follower. */
  close(): Promise<void>;
}
