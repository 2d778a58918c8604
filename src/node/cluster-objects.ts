// The objects that a cluster has because a calico-node has started in it: whichever node comes first makes them.
import { randomUUID } from 'node:crypto';
import { AlreadyExistsError, type Datastore } from '../datastore/index.ts';
import { builtInTiers } from '../policy/index.ts';
import {
  apiVersionOf,
  bgpConfigurations,
  clusterInformations,
  felixConfigurations,
  type IPPool,
  ipamConfigurations,
  ipPools,
  type Resource,
  type ResourceKind,
  tiers,
} from '../resources/index.ts';
import type { DefaultPool } from './options.ts';

/** Makes what is missing; leaves alone what is there. Default pools are made only where there is no pool at all. */
export async function ensureClusterObjects(
  datastore: Datastore,
  defaultPools: readonly DefaultPool[],
): Promise<void> {
  const none = (await datastore.list(ipPools)).length === 0;
  await Promise.all([
    ensure(datastore, clusterInformations, {
      spec: { clusterGUID: randomUUID().replaceAll('-', ''), clusterType: 'k8s,kdd', datastoreReady: true },
    }),
    ensure(datastore, felixConfigurations, { spec: { logSeverityScreen: 'Info', reportingInterval: '0s' } }),
    ensure(datastore, ipamConfigurations, {
      spec: {
        autoAllocateBlocks: true,
        maxBlocksPerHost: 0,
        strictAffinity: false,
        // Nothing here keeps a virtual machine's address while it moves from pod to pod.
        kubeVirtVMAddressPersistence: 'Disabled',
      },
    }),
    ensure(datastore, bgpConfigurations, { spec: {} }),
    ...builtInTiers.map(({ name, order, defaultAction }) =>
      ensure(datastore, tiers, { spec: { ...(order !== undefined && { order }), defaultAction } }, name),
    ),
    ...(none ? defaultPools : []).map(({ name, ...spec }) =>
      ensure(datastore, ipPools, { spec } as Omit<IPPool, keyof Resource>, name),
    ),
  ]);
}

async function ensure<T extends Resource>(
  datastore: Datastore,
  kind: ResourceKind<T>,
  content: Omit<T, keyof Resource>,
  name = 'default',
): Promise<void> {
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name }, ...content } as T;
  try {
    await datastore.create(kind, object);
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
  }
}
