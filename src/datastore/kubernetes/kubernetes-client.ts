// One API server as a person's commands use it: writes that may be tried out first, and every kind of patch.
// Programs that keep running use KubernetesDatastore instead, which also watches.
import { keyOf, type ObjectKey, type Resource, type ResourceKind } from '../../resources/index.ts';
import type { ListOptions } from '../datastore.ts';
import { collectionPath, objectPath } from './api-path.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { listPages, received } from './list.ts';
import { type ApiRequest, Transport } from './transport.ts';

/** JSON Patch (RFC 6902), JSON merge patch (RFC 7396), or Kubernetes' own, which custom resources do not know. */
export type PatchType = 'json' | 'merge' | 'strategic';

const contentTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

export interface ServiceAccountToken {
  readonly token: string;
  /** For how long it speaks, from its issue on. Both by the server's clock, which ours need not agree with. */
  readonly lifetimeMs: number;
}

interface LogOptions {
  /** Only what is no older. */
  readonly sinceSeconds?: number | undefined;
  readonly previous?: boolean;
}

interface ClientWriteOptions {
  /** The server judges the write and answers what it would store, but stores nothing. */
  readonly dryRun?: boolean;
}

/** Unknown fields are refused by every write. Nothing is tried again: a person waits, and can decide better. */
export class KubernetesClient {
  readonly #transport: Transport;

  constructor(access: ClusterAccess, { requestTimeoutMs = 30_000 } = {}) {
    this.#transport = new Transport(access, { requestTimeoutMs, retryForMs: 0 });
  }

  /** @throws NotFoundError */
  get<T extends Resource>(kind: ResourceKind<T>, key: ObjectKey): Promise<T> {
    const attempt = `Cannot read ${kind.kind} "${keyOf({ metadata: key })}"`;
    return this.#ask(kind, { method: 'GET', path: objectPath(kind, key), attempt });
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

  /** @throws AlreadyExistsError, InvalidResourceError */
  create<T extends Resource>(kind: ResourceKind<T>, object: T, options: ClientWriteOptions = {}): Promise<T> {
    return this.#ask(kind, {
      method: 'POST',
      path: collectionPath(kind, object.metadata.namespace) + writeQuery(options),
      body: object,
      attempt: `Cannot create ${kind.kind} "${keyOf(object)}"`,
    });
  }

  /** Replaces what is stored; only this very revision when the object names one. @throws NotFoundError, ConflictError */
  replace<T extends Resource>(
    kind: ResourceKind<T>,
    object: T,
    options: ClientWriteOptions = {},
  ): Promise<T> {
    return this.#ask(kind, {
      method: 'PUT',
      path: objectPath(kind, object.metadata) + writeQuery(options),
      body: object,
      attempt: `Cannot replace ${kind.kind} "${keyOf(object)}"`,
    });
  }

  /** @throws NotFoundError, ConflictError, InvalidResourceError */
  patch<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    type: PatchType,
    patch: object,
    options: ClientWriteOptions = {},
  ): Promise<T> {
    return this.#ask(kind, {
      method: 'PATCH',
      path: objectPath(kind, key) + writeQuery(options),
      body: patch,
      contentType: contentTypes[type],
      attempt: `Cannot patch ${kind.kind} "${keyOf({ metadata: key })}"`,
    });
  }

  /** @throws NotFoundError */
  async delete(kind: ResourceKind, key: ObjectKey, { dryRun }: ClientWriteOptions = {}): Promise<void> {
    await this.#transport.json({
      method: 'DELETE',
      path: objectPath(kind, key),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', ...(dryRun && { dryRun: ['All'] }) },
      attempt: `Cannot delete ${kind.kind} "${keyOf({ metadata: key })}"`,
    });
  }

  /** What a container of a pod has said, as the kubelet keeps it: now, or `previous`ly, before it was started again. */
  async logs(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    container: string,
    { sinceSeconds, previous = false }: LogOptions = {},
  ): Promise<string> {
    const query = new URLSearchParams({ container });
    if (previous) query.set('previous', 'true');
    if (sinceSeconds !== undefined) query.set('sinceSeconds', String(sinceSeconds));
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log?${query}`;
    const attempt = `Cannot read the log of container "${container}" in pod "${namespace}/${name}"`;
    const chunks: Uint8Array[] = [];
    const bytes = await this.#transport.stream({ method: 'GET', path, attempt }, AbortSignal.timeout(60_000));
    for await (const chunk of bytes) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  }

  /** As the server tells it: "gitVersion" and what it was built from. */
  async serverVersion(): Promise<object> {
    const attempt = 'Cannot read the version of the API server';
    return (await this.#transport.json({ method: 'GET', path: '/version', attempt })) as object;
  }

  /** A token that speaks for a service account, for as long as asked or as the server allows. @throws NotFoundError, ForbiddenError */
  async requestToken(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    seconds: number,
  ): Promise<ServiceAccountToken> {
    const answer = await this.#transport.json({
      method: 'POST',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: seconds },
      },
      attempt: `Cannot get a token of service account "${namespace}/${name}"`,
    });
    const { metadata, status } = answer as {
      metadata: { creationTimestamp: string };
      status: { token: string; expirationTimestamp: string };
    };
    const lifetimeMs = Date.parse(status.expirationTimestamp) - Date.parse(metadata.creationTimestamp);
    return { token: status.token, lifetimeMs };
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #ask<T extends Resource>(kind: ResourceKind<T>, request: ApiRequest): Promise<T> {
    return received(kind, (await this.#transport.json(request)) as T);
  }
}

function writeQuery({ dryRun }: ClientWriteOptions): string {
  return `?fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
}
