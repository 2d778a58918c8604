// How a cluster's objects are told to a calculation, one by one.
import type { Calculator } from '../../src/calc/index.ts';
import type { Cluster } from '../../src/policy/index.ts';
import {
  type ClusterNetworkPolicy,
  type EndpointSlice,
  type GlobalNetworkPolicy,
  type HostEndpoint,
  type KubernetesNetworkPolicy,
  keyOf,
  type Namespace,
  type NetworkPolicy,
  type NetworkSet,
  type Node,
  type Pod,
  type Resource,
  type ServiceAccount,
  type Tier,
} from '../../src/resources/index.ts';

export type Step = (calculator: Calculator) => void;

/** How each kind of object comes and goes. */
const kinds: readonly {
  readonly of: (cluster: Cluster) => readonly Resource[];
  readonly set: (calculator: Calculator, object: never) => void;
  readonly delete: (calculator: Calculator, key: string, object: Resource) => void;
}[] = [
  {
    of: (cluster) => cluster.namespaces,
    set: (c, object: Namespace) => c.setNamespace(object),
    delete: (c, key) => c.deleteNamespace(key),
  },
  {
    of: (cluster) => cluster.nodes ?? [],
    set: (c, object: Node) => c.setNode(object),
    delete: (c, key) => c.deleteNode(key),
  },
  {
    of: (cluster) => cluster.pods,
    set: (c, object: Pod) => c.setPod(object),
    delete: (c, key) => c.deletePod(key),
  },
  {
    of: (cluster) => cluster.serviceAccounts ?? [],
    set: (c, object: ServiceAccount) => c.setServiceAccount(object),
    delete: (c, key) => c.deleteServiceAccount(key),
  },
  {
    of: (cluster) => cluster.tiers ?? [],
    set: (c, object: Tier) => c.setTier(object),
    delete: (c, key) => c.deleteTier(key),
  },
  {
    of: (cluster) => cluster.networkPolicies,
    set: (c, object: KubernetesNetworkPolicy) => c.setKubernetesNetworkPolicy(object),
    delete: (c, key) => c.deletePolicy('KubernetesNetworkPolicy', key),
  },
  {
    of: (cluster) => cluster.calicoPolicies ?? [],
    set: (c, object: NetworkPolicy) => c.setNetworkPolicy(object),
    delete: (c, key) => c.deletePolicy('NetworkPolicy', key),
  },
  {
    of: (cluster) => cluster.globalPolicies ?? [],
    set: (c, object: GlobalNetworkPolicy) => c.setGlobalNetworkPolicy(object),
    delete: (c, key) => c.deletePolicy('GlobalNetworkPolicy', key),
  },
  {
    of: (cluster) => cluster.clusterPolicies ?? [],
    set: (c, object: ClusterNetworkPolicy) => c.setClusterNetworkPolicy(object),
    delete: (c, key) => c.deletePolicy('KubernetesClusterNetworkPolicy', key),
  },
  {
    of: (cluster) => cluster.hostEndpoints ?? [],
    set: (c, object: HostEndpoint) => c.setHostEndpoint(object),
    delete: (c, key) => c.deleteHostEndpoint(key),
  },
  {
    of: (cluster) => cluster.networkSets ?? [],
    set: (c, object: NetworkSet) => c.setNetworkSet(object),
    delete: (c, key, { kind }) => c.deleteNetworkSet(kind as 'NetworkSet', key),
  },
  {
    of: (cluster) => cluster.endpointSlices ?? [],
    set: (c, object: EndpointSlice) => c.setEndpointSlice(object),
    delete: (c, key) => c.deleteEndpointSlice(key),
  },
];

/** Every object of a cluster comes. */
export function stepsOf(cluster: Cluster): Step[] {
  return kinds.flatMap(({ of, set }) =>
    of(cluster).map(
      (object): Step =>
        (calculator) =>
          set(calculator, object as never),
    ),
  );
}

/** Another cluster's objects come first and go again when these are there. */
export function stepsAfter(other: Cluster, cluster: Cluster): Step[] {
  return [...stepsOf(other), ...stepsToward(other, cluster)];
}

/** What turns one cluster into another: its objects come, and what it has not goes. */
export function stepsToward(other: Cluster, cluster: Cluster): Step[] {
  const nameOf = (object: Resource) => `${object.kind} ${keyOf(object)}`;
  const gone = kinds.flatMap(({ of, delete: remove }) => {
    const kept = new Set(of(cluster).map(nameOf));
    return of(other)
      .filter((object) => !kept.has(nameOf(object)))
      .map(
        (object): Step =>
          (calculator) =>
            remove(calculator, keyOf(object), object),
      );
  });
  return [...stepsOf(cluster), ...gone];
}
