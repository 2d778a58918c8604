// IPAM's sources as an agent's watches keep them, so that giving a pod its address needs no round trip to ask for pools.
// They may lag behind the store by moments; IpamClient asks the store itself before it refuses anything.
import type { Datastore, Follower } from '../datastore/index.ts';
import {
  type IPAMConfiguration,
  type IPPool,
  type IPReservation,
  ipamConfigurations,
  ipPools,
  ipReservations,
  type Node,
  nodes,
  type Resource,
  type ResourceKind,
} from '../resources/index.ts';
import { type NodeLabels, nodeLabelsOf } from './node-labels.ts';
import { noReservations, type Reservations, reservationsFrom } from './reservations.ts';
import type { IpamSources } from './sources.ts';

export class FollowedSources implements IpamSources {
  readonly #pools: Followed<IPPool>;
  readonly #configurations: Followed<IPAMConfiguration>;
  readonly #reservationObjects: Followed<IPReservation>;
  readonly #nodes: Followed<Node>;
  #reservations: Reservations = noReservations;

  /** Knows the labels of one node; of others it knows none. */
  constructor(datastore: Datastore, node: string) {
    this.#pools = new Followed(datastore, ipPools);
    this.#configurations = new Followed(datastore, ipamConfigurations);
    this.#reservationObjects = new Followed(datastore, ipReservations, {
      changed: (objects) => {
        this.#reservations = reservationsFrom(objects);
      },
    });
    this.#nodes = new Followed(datastore, nodes, {
      fieldSelector: `metadata.name=${node}`,
      isAsStored: true,
    });
  }

  pools(): Promise<readonly IPPool[]> {
    return this.#pools.list();
  }

  async configuration(): Promise<IPAMConfiguration['spec'] | undefined> {
    return (await this.#configurations.list()).find(({ metadata }) => metadata.name === 'default')?.spec;
  }

  async reservations(): Promise<Reservations> {
    await this.#reservationObjects.list();
    return this.#reservations;
  }

  async nodeLabels(node: string): Promise<NodeLabels> {
    const known = (await this.#nodes.list()).find(({ metadata }) => metadata.name === node);
    return known ? nodeLabelsOf(known) : new Map();
  }

  stop(): void {
    for (const followed of [this.#pools, this.#configurations, this.#reservationObjects, this.#nodes]) {
      followed.stop();
    }
  }
}

/** The objects of one kind as its watch shows them. */
class Followed<T extends Resource> {
  readonly #objects = new Map<string, T>();
  readonly #follower: Follower;
  readonly #inSync = Promise.withResolvers<void>();

  constructor(
    datastore: Datastore,
    kind: ResourceKind<T>,
    options: {
      readonly fieldSelector?: string;
      /** Keeps also what is not what its kind is, and nobody may take for that. */
      readonly isAsStored?: boolean;
      readonly changed?: (objects: readonly T[]) => void;
    } = {},
  ) {
    const { fieldSelector, isAsStored = false, changed = () => {} } = options;
    const put = (object: T) => {
      this.#objects.set(object.metadata.name, object);
      changed([...this.#objects.values()]);
    };
    this.#follower = datastore.follow(
      kind,
      {
        onUpsert: (object, stored) => put((isAsStored && stored) || object),
        ...(isAsStored && { onMisfit: put }),
        onDelete: ({ name }) => {
          this.#objects.delete(name);
          changed([...this.#objects.values()]);
        },
        onInSync: () => this.#inSync.resolve(),
      },
      fieldSelector === undefined ? {} : { fieldSelector },
    );
  }

  /** Waits for the first full listing; from then on answers from memory. */
  async list(): Promise<T[]> {
    await this.#inSync.promise;
    return [...this.#objects.values()];
  }

  stop(): void {
    this.#follower.stop();
  }
}
