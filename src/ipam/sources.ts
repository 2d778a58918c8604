// What IPAM must know beside its own objects. Read afresh for every request here; a program that follows these kinds anyway
// hands in its own view and saves the round trips.
import { type Datastore, NotFoundError } from '../datastore/index.ts';
import {
  type IPAMConfiguration,
  type IPPool,
  ipamConfigurations,
  ipPools,
  nodes,
} from '../resources/index.ts';
import type { Labels } from '../selector/index.ts';

export interface IpamSources {
  pools(): Promise<readonly IPPool[]>;
  /** Undefined when the cluster has no IPAMConfiguration. */
  configuration(): Promise<IPAMConfiguration['spec'] | undefined>;
  /** No labels when there is no such node. */
  nodeLabels(node: string): Promise<Labels>;
}

export function sourcesFrom(datastore: Datastore): IpamSources {
  return {
    pools: () => datastore.list(ipPools),
    configuration: async () => (await found(datastore.get(ipamConfigurations, { name: 'default' })))?.spec,
    nodeLabels: async (node) =>
      new Map(Object.entries((await found(datastore.get(nodes, { name: node })))?.metadata.labels ?? {})),
  };
}

async function found<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
