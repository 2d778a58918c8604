// Everything that has a say in what policies decide, read once.
import { type Datastore, ifThere } from '../../datastore/index.ts';
import type { Cluster } from '../../policy/index.ts';
import {
  clusterNetworkPolicies,
  endpointSlices,
  globalNetworkPolicies,
  globalNetworkSets,
  hostEndpoints,
  kubernetesNetworkPolicies,
  namespaces,
  networkPolicies,
  networkSets,
  nodes,
  pods,
  type Resource,
  type ResourceKind,
  serviceAccounts,
  stagedGlobalNetworkPolicies,
  stagedKubernetesNetworkPolicies,
  stagedNetworkPolicies,
  tiers,
} from '../../resources/index.ts';

export async function readCluster(datastore: Datastore): Promise<Cluster> {
  /** A cluster that does not know the kind has no objects of it. */
  const list = async <T extends Resource>(kind: ResourceKind<T>): Promise<T[]> =>
    (await ifThere(datastore.list(kind))) ?? [];
  const all = async <T extends Resource>(...kinds: readonly ResourceKind<T>[]): Promise<T[]> =>
    (await Promise.all(kinds.map(list<T>))).flat();
  const read: { [Field in keyof Cluster]: Promise<NonNullable<Cluster[Field]>> } = {
    namespaces: list(namespaces),
    pods: list(pods),
    networkPolicies: list(kubernetesNetworkPolicies),
    serviceAccounts: list(serviceAccounts),
    nodes: list(nodes),
    tiers: list(tiers),
    calicoPolicies: list(networkPolicies),
    globalPolicies: list(globalNetworkPolicies),
    clusterPolicies: list(clusterNetworkPolicies),
    hostEndpoints: list(hostEndpoints),
    networkSets: all<NonNullable<Cluster['networkSets']>[number]>(networkSets, globalNetworkSets),
    endpointSlices: list(endpointSlices),
    stagedPolicies: all<NonNullable<Cluster['stagedPolicies']>[number]>(
      stagedNetworkPolicies,
      stagedGlobalNetworkPolicies,
      stagedKubernetesNetworkPolicies,
    ),
  };
  const entries = Object.entries(read).map(async ([field, objects]) => [field, await objects] as const);
  return Object.fromEntries(await Promise.all(entries)) as unknown as Cluster;
}
