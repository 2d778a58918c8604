// What IPAM must know beside its own objects, read afresh each time. followed-sources.ts keeps the same in memory.
import { type Datastore, ifThere } from '../datastore/index.ts';
import {
  type IPAMConfiguration,
  type IPPool,
  ipamConfigurations,
  ipPools,
  ipReservations,
} from '../resources/index.ts';
import { type NodeLabels, readNodeLabels } from './node-labels.ts';
import { type Reservations, reservationsFrom } from './reservations.ts';

export interface IpamSources {
  pools(): Promise<readonly IPPool[]>;
  /** Undefined when the cluster has no IPAMConfiguration. */
  configuration(): Promise<IPAMConfiguration['spec'] | undefined>;
  reservations(): Promise<Reservations>;
  /** No labels when there is no such node. */
  nodeLabels(node: string): Promise<NodeLabels>;
}

export function sourcesFrom(datastore: Datastore): IpamSources {
  return {
    pools: async () => datastore.list(ipPools),
    configuration: async () => (await ifThere(datastore.get(ipamConfigurations, { name: 'default' })))?.spec,
    reservations: async () => reservationsFrom(await datastore.list(ipReservations)),
    nodeLabels: (node) => readNodeLabels(datastore, node),
  };
}
