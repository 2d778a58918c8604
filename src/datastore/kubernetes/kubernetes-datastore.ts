// The store behind a Kubernetes API server, real or embedded.
import { keyOf, type ObjectKey, type Resource, type ResourceKind } from '../../resources/index.ts';
import type { Datastore, Follower, FollowHandler, ListOptions } from '../datastore.ts';
import { InvalidResourceError } from '../errors.ts';
import { collectionPath, objectPath } from './api-path.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { listPages, received } from './list.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { type ApiRequest, Transport, type TransportOptions } from './transport.ts';

export type KubernetesDatastoreOptions = Partial<TransportOptions & Omit<ReflectorOptions, 'onHeardAgain'>>;

const defaults: TransportOptions & ReflectorOptions = {
  requestTimeoutMs: 30_000,
  retryForMs: 10_000,
  backoff: { firstMs: 200, maxMs: 10_000 },
  // API servers send a bookmark about every minute.
  silenceMs: 150_000,
  onTrouble: () => {},
  onHeardAgain: () => {},
};

/** A server that comes and goes must not be asked by everybody each time that it comes. */
const wakeAtMostEveryMs = 5_000;

export class KubernetesDatastore implements Datastore {
  readonly #transport: Transport;
  readonly #options: ReflectorOptions;
  readonly #followers = new Set<Follower & { wake(): void }>();
  #lastWakeMs = Number.NEGATIVE_INFINITY;

  constructor(access: ClusterAccess, options: KubernetesDatastoreOptions = {}) {
    this.#options = { ...defaults, ...options, onHeardAgain: () => this.#wakeAll() };
    this.#transport = new Transport(access, { ...defaults, ...options });
  }

  get<T extends Resource>(kind: ResourceKind<T>, key: ObjectKey): Promise<T> {
    return this.#ask(kind, {
      method: 'GET',
      path: objectPath(kind, key),
      attempt: attempt('read', kind, key),
    });
  }

  async list<T extends Resource>(kind: ResourceKind<T>, options: ListOptions = {}): Promise<T[]> {
    let objects: T[] = [];
    await listPages(
      this.#transport,
      kind,
      options,
      (items) => {
        for (const item of items) objects.push(item);
      },
      () => {
        objects = [];
      },
    );
    return objects;
  }

  create<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#ask(kind, {
      method: 'POST',
      path: collectionPath(kind, object.metadata.namespace),
      body: object,
      attempt: attempt('create', kind, object.metadata),
    });
  }

  update<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#replace(kind, object);
  }

  updateStatus<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#replace(kind, object, 'status');
  }

  mergePatch<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    patch: object,
    options: { readonly subresource?: 'status' } = {},
  ): Promise<T> {
    return this.#ask(kind, {
      method: 'PATCH',
      path: objectPath(kind, key, options.subresource),
      body: patch,
      contentType: 'application/merge-patch+json',
      attempt: attempt('patch', kind, key),
    });
  }

  async delete<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    precondition?: { readonly resourceVersion?: string; readonly uid?: string },
  ): Promise<void> {
    await this.#transport.json({
      method: 'DELETE',
      path: objectPath(kind, key),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', ...(precondition && { preconditions: precondition }) },
      attempt: attempt('delete', kind, key),
    });
  }

  follow<T extends Resource>(
    kind: ResourceKind<T>,
    handler: FollowHandler<T>,
    options: ListOptions = {},
  ): Follower {
    const reflector = new Reflector(this.#transport, kind, handler, options, this.#options);
    const follower = {
      wake: () => reflector.wake(),
      stop: () => {
        this.#followers.delete(follower);
        reflector.stop();
      },
    };
    this.#followers.add(follower);
    return follower;
  }

  /** What one follower hears, the others need not wait for: after an outage all are to be in step at about the same time. */
  #wakeAll(): void {
    const now = performance.now();
    if (now - this.#lastWakeMs < wakeAtMostEveryMs) return;
    this.#lastWakeMs = now;
    for (const follower of this.#followers) follower.wake();
  }

  async close(): Promise<void> {
    for (const follower of [...this.#followers]) follower.stop();
    await this.#transport.close();
  }

  async #replace<T extends Resource>(kind: ResourceKind<T>, object: T, part?: 'status'): Promise<T> {
    // Without a revision the server would overwrite whatever is there.
    if (!object.metadata.resourceVersion) {
      throw new InvalidResourceError(
        `${attempt('update', kind, object.metadata)}: it has no metadata.resourceVersion to compare`,
      );
    }
    return this.#ask(kind, {
      method: 'PUT',
      path: objectPath(kind, object.metadata, part),
      body: object,
      attempt: attempt('update', kind, object.metadata),
    });
  }

  async #ask<T extends Resource>(kind: ResourceKind<T>, request: ApiRequest): Promise<T> {
    return received(kind, (await this.#transport.json(request)) as T);
  }
}

function attempt(verb: string, kind: ResourceKind, key: ObjectKey): string {
  return `Cannot ${verb} ${kind.kind} "${keyOf({ metadata: key })}"`;
}
