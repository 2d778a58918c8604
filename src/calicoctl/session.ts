// One command's connection to its cluster. Closing it lets the process end.
import { ifThere, KubernetesClient, KubernetesDatastore, SoundDatastore } from '../datastore/index.ts';
import type { Resource, ResourceKind } from '../resources/index.ts';
import type { GlobalOptions } from './options.ts';
import { CommandError } from './problem.ts';
import { readClusterAccess } from './settings.ts';
import { version } from './version.ts';

export class Session implements AsyncDisposable {
  readonly client: KubernetesClient;
  /** Namespace for objects that name none. */
  readonly namespace: string;
  readonly #openDatastore: () => SoundDatastore;
  #datastore: SoundDatastore | undefined;

  constructor(options: GlobalOptions) {
    const access = readClusterAccess(options);
    this.client = new KubernetesClient(access);
    this.namespace = access.namespace;
    this.#openDatastore = () =>
      new SoundDatastore(new KubernetesDatastore(access, { retryForMs: 0 }), (fault) =>
        process.stderr.write(`Warning: ${fault}\n`),
      );
  }

  /** The cluster as the engines use it. */
  get datastore(): SoundDatastore {
    this.#datastore ??= this.#openDatastore();
    return this.#datastore;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.client.close(), this.#datastore?.close()]);
  }
}

/** Opens a session with a cluster of our own version. @throws CommandError when the versions differ and that is not allowed */
export async function openSession(options: GlobalOptions): Promise<Session> {
  const session = new Session(options);
  if (options.allowVersionMismatch) return session;
  try {
    const theirs = (await readClusterInformation(session.client))?.spec?.calicoVersion;
    if (theirs === undefined || theirs.replace(/^v/, '') === version) return session;
    throw new CommandError(
      `The cluster runs Calico ${theirs} and this calicoctl is ${version}: ` +
        'use that version, or allow the difference with --allow-version-mismatch',
    );
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

export interface ClusterFacts extends Resource {
  readonly spec?: {
    readonly calicoVersion?: string;
    readonly clusterType?: string;
    readonly clusterGUID?: string;
    readonly datastoreReady?: boolean;
  };
}

const clusterInformations: ResourceKind<ClusterFacts> = {
  group: 'projectcalico.org',
  version: 'v3',
  kind: 'ClusterInformation',
  plural: 'clusterinformations',
  namespaced: false,
};

/** Undefined when the cluster has not been told of Calico yet. */
export function readClusterInformation(client: KubernetesClient): Promise<ClusterFacts | undefined> {
  return ifThere(client.get(clusterInformations, { name: 'default' }));
}
