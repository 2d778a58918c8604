// The objects that a cluster has because a calico-node has started in it: whichever node comes first makes them.
import { randomUUID } from 'node:crypto';
import { AlreadyExistsError, type Datastore } from '../datastore/index.ts';
import { type Cidr, cidrsOverlap, parseCidr, tryParseCidr } from '../net/index.ts';
import { builtInTiers } from '../policy/index.ts';
import type { Logger } from '../process/index.ts';
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
import { readPodSubnets } from './kubeadm.ts';
import type { DefaultPool, NodeOptions } from './options.ts';

/**
 * Makes what is missing; leaves alone what is there. A default pool is made only where there is no pool of its family. Where its
 * range is not named, kubeadm's range of pods is taken; where kubeadm was told none, an IPv4 range that overlaps with none of the
 * `networks` that the node itself is in, and no IPv6 pool is made.
 */
export async function ensureClusterObjects(
  datastore: Datastore,
  { defaultPools, clusterType }: Pick<NodeOptions, 'defaultPools' | 'clusterType'>,
  networks: readonly Cidr[],
  log: Logger,
): Promise<void> {
  let isUnknown = false;
  const pools = await datastore.list(ipPools, {}, () => {
    isUnknown = true;
  });
  const present = pools.map(({ spec }) => tryParseCidr(spec.cidr)?.family);
  // Beside a pool that cannot be read, nobody knows of which family there is none.
  const missing = isUnknown ? [] : defaultPools.filter(({ family }) => !present.includes(family));
  const isAnyUnnamed = missing.some(({ cidr }) => cidr === undefined);
  const kubeadm = isAnyUnnamed ? await readPodSubnets(datastore, log) : undefined;
  const rangeOf = ({ cidr, family }: DefaultPool) =>
    cidr ?? kubeadm?.get(family) ?? (family === 4 ? chooseRange(networks) : undefined);
  await Promise.all([
    ensure(datastore, clusterInformations, {
      spec: {
        clusterGUID: randomUUID().replaceAll('-', ''),
        clusterType: [clusterType, ...(kubeadm ? ['kubeadm'] : []), 'kdd'].join(','),
        datastoreReady: true,
      },
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
    ...missing.flatMap((wanted) => {
      const cidr = rangeOf(wanted);
      if (cidr === undefined) return [];
      const { name, family: _, disableBGPExport, ...spec } = wanted;
      const pool = { spec: { ...spec, cidr, ...(disableBGPExport && { disableBGPExport }) } };
      return ensure(datastore, ipPools, pool as Omit<IPPool, keyof Resource>, name);
    }),
  ]);
}

const ranges = ['192.168.0.0/16', ...Array.from({ length: 16 }, (_, index) => `172.${16 + index}.0.0/16`)];

/** Upstream's order. @throws Error when the node's own networks leave none of them */
function chooseRange(networks: readonly Cidr[]): string {
  const range = ranges.find((text) => !networks.some((network) => cidrsOverlap(parseCidr(text), network)));
  if (range) return range;
  throw new Error(
    'Cannot choose a range for the default pool: the networks of this node overlap with all of 192.168.0.0/16 and 172.16.0.0/12. Name one with CALICO_IPV4POOL_CIDR',
  );
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
