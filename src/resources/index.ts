// The door of the resources room: every kind that the programs know, and what they say of it.
export { generatedFiles, generatedFolders } from './artefacts/index.ts';
export type { BGPFilterRule } from './calico/bgp/filter-rule.ts';
export { type BGPConfiguration, bgpConfigurations } from './calico/bgp-configuration.ts';
export { type BGPFilter, bgpFilters } from './calico/bgp-filter.ts';
export { type BGPPeer, bgpPeers } from './calico/bgp-peer.ts';
export { type BlockAffinity, blockAffinities } from './calico/block-affinity.ts';
export { type CalicoNodeStatus, calicoNodeStatuses } from './calico/calico-node-status.ts';
export { clusterInformations } from './calico/cluster-information.ts';
export { type FelixConfiguration, felixConfigurations } from './calico/felix-configuration/index.ts';
export { type GlobalNetworkPolicy, globalNetworkPolicies } from './calico/global-network-policy.ts';
export { type GlobalNetworkSet, globalNetworkSets } from './calico/global-network-set.ts';
export { type HostEndpoint, hostEndpoints } from './calico/host-endpoint.ts';
export { blockSizeOf, type IPPool, type IPPoolSpec, ipPools } from './calico/ip-pool.ts';
export { blockName, blockNamed, isBlockSized } from './calico/ip-range-flaws.ts';
export { type IPReservation, ipReservations } from './calico/ip-reservation.ts';
export { type AllocationAttribute, type IPAMBlock, ipamBlocks } from './calico/ipam-block.ts';
export { type IPAMConfiguration, ipamConfigurations } from './calico/ipam-configuration.ts';
export { type IPAMHandle, ipamHandles } from './calico/ipam-handle.ts';
export {
  type KubeControllersConfiguration,
  kubeControllersConfigurations,
} from './calico/kube-controllers-configuration.ts';
export { type NetworkPolicy, networkPolicies } from './calico/network-policy.ts';
export { type NetworkSet, networkSets } from './calico/network-set.ts';
export {
  admittedPolicy,
  completedPolicy,
  isTieredPolicy,
  tieredKinds,
  tierLabel,
  typesOf,
} from './calico/policy/completed-policy.ts';
export type { EntityRule } from './calico/policy/entity-rule.ts';
export type { PolicyRule } from './calico/policy/rule.ts';
export {
  type StagedGlobalNetworkPolicy,
  stagedGlobalNetworkPolicies,
} from './calico/staged-global-network-policy.ts';
export {
  type StagedKubernetesNetworkPolicy,
  stagedKubernetesNetworkPolicies,
} from './calico/staged-kubernetes-network-policy.ts';
export { type StagedNetworkPolicy, stagedNetworkPolicies } from './calico/staged-network-policy.ts';
export { type Tier, tiers } from './calico/tier.ts';
export { calicoKinds, findKind } from './calico-kinds.ts';
export {
  type CustomResourceDefinition,
  crds,
  customResourceDefinitions,
  toCrd,
} from './custom-resource-definition.ts';
export * from './kubernetes/cluster-network-policy.ts';
export * from './kubernetes/config-map.ts';
export * from './kubernetes/endpoint-slice.ts';
export * from './kubernetes/lease.ts';
export * from './kubernetes/namespace.ts';
export * from './kubernetes/network-policy.ts';
export * from './kubernetes/node.ts';
export * from './kubernetes/pod.ts';
export { parseQuantity, quantityPattern } from './kubernetes/quantity.ts';
export * from './kubernetes/secret.ts';
export * from './kubernetes/service.ts';
export * from './kubernetes/service-account.ts';
export {
  describeFault,
  faultText,
  type ManifestEntry,
  type ManifestFault,
  readManifest,
} from './manifest/index.ts';
export { labelsOf, misfit } from './misfit.ts';
export { nearestName } from './nearest-name.ts';
export * from './resource.ts';
export { validate } from './validate.ts';
export { isObjectName } from './validate-metadata.ts';
export { withDefaults } from './with-defaults.ts';
