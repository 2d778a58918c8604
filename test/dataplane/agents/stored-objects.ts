// The objects of a random cluster in the API server: brings them there by the difference to what is there, as somebody would
// who applies one manifest after another, and tells what every node is to make of them.

import type { Calculator } from '../../../src/calc/index.ts';
import {
  AlreadyExistsError,
  ConflictError,
  NotFoundError,
  UnavailableError,
} from '../../../src/datastore/index.ts';
import { eachFollowedKind, type FollowedKind } from '../../../src/felix/followed-kinds.ts';
import { FollowedSettings } from '../../../src/felix/index.ts';
import type { LabApi } from '../../../src/lab/api.ts';
import { tableOptions } from '../../../src/node/table-options.ts';
import type { Cluster } from '../../../src/policy/index.ts';
import {
  clusterNetworkPolicies,
  endpointSlices,
  felixConfigurations,
  globalNetworkPolicies,
  globalNetworkSets,
  hostEndpoints,
  keyOf,
  kubernetesNetworkPolicies,
  namespaces,
  networkPolicies,
  networkSets,
  nodes,
  type Pod,
  pods,
  type Resource,
  type ResourceKind,
  serviceAccounts,
  stagedGlobalNetworkPolicies,
  stagedKubernetesNetworkPolicies,
  stagedNetworkPolicies,
  tiers,
} from '../../../src/resources/index.ts';
import type { Calculation } from './expected-table.ts';

/** In the order in which they come; what is spoken of comes first. Pods and nodes have their own ways. */
const kinds: readonly ResourceKind<Resource>[] = [
  namespaces,
  serviceAccounts,
  tiers,
  networkSets,
  globalNetworkSets,
  endpointSlices,
  networkPolicies,
  globalNetworkPolicies,
  clusterNetworkPolicies,
  kubernetesNetworkPolicies,
  stagedNetworkPolicies,
  stagedGlobalNetworkPolicies,
  stagedKubernetesNetworkPolicies,
  felixConfigurations,
  hostEndpoints,
];

/** A cluster's objects, in the order of their kinds. */
function objectsOf(cluster: Cluster): Resource[] {
  const all: Resource[] = Object.values(cluster).flat();
  const rank = ({ kind, apiVersion }: Resource) =>
    kinds.findIndex((known) => known.kind === kind && apiVersionOf(known) === apiVersion);
  return all.toSorted((a, b) => rank(a) - rank(b));
}

const apiVersionOf = ({ group, version }: ResourceKind) => (group === '' ? version : `${group}/${version}`);

export class StoredObjects {
  readonly #api: LabApi;
  readonly #known = new Map<
    string,
    { readonly kind: ResourceKind<Resource>; readonly object: Resource; readonly text: string }
  >();
  readonly #nodeLabels = new Map<string, Readonly<Record<string, string>>>();
  readonly #pods = new Map<string, { readonly pod: Pod; readonly text: string }>();

  constructor(api: LabApi) {
    this.#api = api;
  }

  /** Returns the cluster with its nodes, service accounts and policies as they are: the API server fills in what policies leave out. */
  async become(cluster: Cluster): Promise<Cluster> {
    try {
      return await this.#bring(cluster);
    } catch (error) {
      // Whoever calculates for seconds in this process keeps its API server from answering. What has been written counts.
      if (!(error instanceof UnavailableError)) throw error;
      return await this.#bring(cluster);
    }
  }

  async #bring(cluster: Cluster): Promise<Cluster> {
    const { datastore } = this.#api;
    const wanted = new Map<string, { kind: ResourceKind<Resource>; object: Resource; text: string }>();
    for (const object of objectsOf({ ...cluster, pods: [], nodes: [] })) {
      const kind = kindOf(object);
      wanted.set(keyWithin(kind, object), { kind, object, text: JSON.stringify(object) });
    }
    // A namespace takes its time to go, and is spoken of by the next cluster again.
    const gone = [...this.#known]
      .filter(([key, { kind }]) => kind !== namespaces && !wanted.has(key))
      .toReversed();
    for (const [key, { kind, object }] of gone) {
      await datastore.delete(kind, nameOf(object)).catch((error: unknown) => {
        // Its answer got lost before.
        if (!(error instanceof NotFoundError)) throw error;
      });
      this.#known.delete(key);
    }
    await this.#becomePods(cluster.pods, 'gone');
    for (const [key, { kind, object, text }] of wanted) {
      const known = this.#known.get(key);
      if (known?.text === text) continue;
      const stored = await this.#put(kind, object, known?.object.metadata.resourceVersion);
      this.#known.set(key, { kind, object: stored, text });
    }
    for (const { metadata } of cluster.nodes ?? []) {
      const before = this.#nodeLabels.get(metadata.name);
      const labels = changed(before, metadata.labels);
      await datastore.mergePatch(nodes, { name: metadata.name }, { metadata: { labels } });
      this.#nodeLabels.set(metadata.name, metadata.labels ?? {});
    }
    await this.#becomePods(cluster.pods, 'come');
    // Every namespace has a service account from its beginning.
    const accounts = await datastore.list(serviceAccounts);
    return {
      ...cluster,
      nodes: await datastore.list(nodes),
      serviceAccounts: accounts,
      calicoPolicies: cluster.calicoPolicies?.map((policy) => this.#stored(policy)) ?? [],
      globalPolicies: cluster.globalPolicies?.map((policy) => this.#stored(policy)) ?? [],
      stagedPolicies: cluster.stagedPolicies?.map((policy) => this.#stored(policy)) ?? [],
    };
  }

  /** What every node is to hold now, by all objects that there are, whoever wrote them. */
  async calculation(): Promise<Calculation> {
    const { datastore } = this.#api;
    const told: ((calculator: Calculator) => void)[] = [];
    const reading: Promise<void>[] = [];
    const read = async <T extends Resource>({ kind, set }: FollowedKind<T>) => {
      const objects = await datastore.list(kind);
      told.push((calculator) => {
        for (const object of objects) set(calculator, object);
      });
    };
    eachFollowedKind((followed) => reading.push(read(followed)));
    await Promise.all(reading);
    const settings = new FollowedSettings({
      node: 'any',
      datastore,
      environment: {},
      file: '',
      onFault: (fault) => {
        throw new Error(fault);
      },
    });
    const options = tableOptions(await settings.first, [4, 6]);
    settings.stop();
    return {
      tell: (calculator) => {
        for (const tell of told) tell(calculator);
      },
      options,
    };
  }

  #stored<T extends Resource>(object: T): T {
    const kind = kindOf(object);
    return (this.#known.get(keyWithin(kind, object))?.object as T | undefined) ?? object;
  }

  /** What others have made counts as an earlier state. */
  async #put(
    kind: ResourceKind<Resource>,
    object: Resource,
    resourceVersion: string | undefined,
  ): Promise<Resource> {
    const { datastore } = this.#api;
    const of = (version: string | undefined) => ({
      ...object,
      metadata: { ...object.metadata, ...(version && { resourceVersion: version }) },
    });
    try {
      if (resourceVersion !== undefined) return await datastore.update(kind, of(resourceVersion));
      return await datastore.create(kind, object);
    } catch (error) {
      if (!(error instanceof AlreadyExistsError || error instanceof ConflictError)) throw error;
      const { metadata } = await datastore.get(kind, nameOf(object));
      return await datastore.update(kind, of(metadata.resourceVersion));
    }
  }

  async #becomePods(list: readonly Pod[], step: 'gone' | 'come'): Promise<void> {
    const { datastore } = this.#api;
    for (const [key, { pod }] of this.#pods) {
      if (
        step === 'come' ||
        list.some((other) => keyOf(other) === key && sandboxText(other) === sandboxText(pod))
      )
        continue;
      await this.#api.removePod(pod);
      this.#pods.delete(key);
    }
    for (const pod of step === 'come' ? list : []) {
      const text = JSON.stringify(pod);
      const known = this.#pods.get(keyOf(pod));
      if (known?.text === text) continue;
      const { uid: _, ...metadata } = pod.metadata;
      const { status, ...rest } = pod;
      const stored = known
        ? await datastore.mergePatch(pods, nameOf(pod), {
            metadata: { labels: changed(known.pod.metadata.labels, metadata.labels) },
          })
        : await datastore.create(pods, { ...rest, metadata });
      if (status) await datastore.mergePatch(pods, nameOf(pod), { status }, { subresource: 'status' });
      this.#pods.set(keyOf(pod), { pod: stored, text });
    }
  }
}

function kindOf(object: Resource): ResourceKind<Resource> {
  const kind = kinds.find((known) => known.kind === object.kind && apiVersionOf(known) === object.apiVersion);
  if (!kind) throw new Error(`Nobody knows how to store a ${object.kind}`);
  return kind;
}

const keyWithin = ({ group, kind }: ResourceKind<Resource>, object: Resource) =>
  `${group}/${kind} ${keyOf(object)}`;

const nameOf = ({ metadata: { name, namespace } }: Resource) => ({ name, ...(namespace && { namespace }) });

/** What cannot change in a pod's life. */
function sandboxText({ spec, metadata }: Pod): string {
  return JSON.stringify([
    spec?.nodeName,
    spec?.serviceAccountName,
    spec?.containers?.map(({ ports = [] }) => ports),
    metadata.annotations,
  ]);
}

/** A merge patch from some labels to others. */
function changed(
  before: Readonly<Record<string, string>> = {},
  after: Readonly<Record<string, string>> = {},
) {
  const gone = Object.keys(before).filter((key) => !(key in after));
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...after };
}
