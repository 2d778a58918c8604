// Which kinds of objects the agent follows, and where in the calculation each of them goes.
import type { Calculator } from '../calc/index.ts';
import {
  bgpConfigurations,
  clusterNetworkPolicies,
  endpointSlices,
  globalNetworkPolicies,
  globalNetworkSets,
  hostEndpoints,
  ipamBlocks,
  ipPools,
  kubernetesNetworkPolicies,
  namespaces,
  networkPolicies,
  networkSets,
  nodes,
  pods,
  type Resource,
  type ResourceKind,
  serviceAccounts,
  tiers,
} from '../resources/index.ts';
import {
  closedClusterNetworkPolicy,
  closedGlobalNetworkPolicy,
  closedKubernetesNetworkPolicy,
  closedNetworkPolicy,
  closedTier,
} from './closed-objects.ts';

/** Takes one kind's objects to the calculation; keys are "namespace/name" or "name". */
export interface FollowedKind<T extends Resource> {
  readonly kind: ResourceKind<T>;
  set(calculator: Calculator, object: T): void;
  delete(calculator: Calculator, key: string): void;
  /** Takes in an object that is not what its kind is, closed; without this it counts as deleted. */
  close?(calculator: Calculator, object: T): void;
}

/** Calls `visit` once for each kind. A list could not say that kind and object belong together. */
export function eachFollowedKind(visit: <T extends Resource>(followed: FollowedKind<T>) => void): void {
  visit({ kind: pods, set: (c, pod) => c.setPod(pod), delete: (c, key) => c.deletePod(key) });
  visit({
    kind: namespaces,
    set: (c, object) => c.setNamespace(object),
    delete: (c, name) => c.deleteNamespace(name),
  });
  visit({
    kind: serviceAccounts,
    set: (c, account) => c.setServiceAccount(account),
    delete: (c, key) => c.deleteServiceAccount(key),
  });
  visit({
    kind: tiers,
    set: (c, tier) => c.setTier(tier),
    delete: (c, name) => c.deleteTier(name),
    close: (c, tier) => c.setTier(closedTier(tier)),
  });
  visit({
    kind: kubernetesNetworkPolicies,
    set: (c, policy) => c.setKubernetesNetworkPolicy(policy),
    delete: (c, key) => c.deletePolicy('KubernetesNetworkPolicy', key),
    close: (c, policy) => c.setKubernetesNetworkPolicy(closedKubernetesNetworkPolicy(policy)),
  });
  visit({
    kind: clusterNetworkPolicies,
    set: (c, policy) => c.setClusterNetworkPolicy(policy),
    delete: (c, key) => c.deletePolicy('KubernetesClusterNetworkPolicy', key),
    close: (c, policy) => c.setClusterNetworkPolicy(closedClusterNetworkPolicy(policy)),
  });
  visit({
    kind: networkPolicies,
    set: (c, policy) => c.setNetworkPolicy(policy),
    delete: (c, key) => c.deletePolicy('NetworkPolicy', key),
    close: (c, policy) => c.setNetworkPolicy(closedNetworkPolicy(policy)),
  });
  visit({
    kind: globalNetworkPolicies,
    set: (c, policy) => c.setGlobalNetworkPolicy(policy),
    delete: (c, key) => c.deletePolicy('GlobalNetworkPolicy', key),
    close: (c, policy) => c.setGlobalNetworkPolicy(closedGlobalNetworkPolicy(policy)),
  });
  visit({
    kind: networkSets,
    set: (c, set) => c.setNetworkSet(set),
    delete: (c, key) => c.deleteNetworkSet('NetworkSet', key),
  });
  visit({
    kind: globalNetworkSets,
    set: (c, set) => c.setNetworkSet(set),
    delete: (c, key) => c.deleteNetworkSet('GlobalNetworkSet', key),
  });
  visit({
    kind: endpointSlices,
    set: (c, slice) => c.setEndpointSlice(slice),
    delete: (c, key) => c.deleteEndpointSlice(key),
  });
  visit({
    kind: hostEndpoints,
    set: (c, object) => c.setHostEndpoint(object),
    delete: (c, name) => c.deleteHostEndpoint(name),
  });
  visit({ kind: nodes, set: (c, node) => c.setNode(node), delete: (c, name) => c.deleteNode(name) });
  visit({ kind: ipPools, set: (c, pool) => c.setPool(pool), delete: (c, name) => c.deletePool(name) });
  visit({
    kind: bgpConfigurations,
    set: (c, configuration) => c.setBgpConfiguration(configuration),
    delete: (c, name) => c.deleteBgpConfiguration(name),
  });
  visit({ kind: ipamBlocks, set: (c, block) => c.setBlock(block), delete: (c, name) => c.deleteBlock(name) });
}
