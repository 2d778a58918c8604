// The door of the resources room: every kind that the programs know, and what they say of it.
export { type BlockAffinity, blockAffinities } from './calico/block-affinity.ts';
export { clusterInformations } from './calico/cluster-information.ts';
export { type FelixConfiguration, felixConfigurations } from './calico/felix-configuration/index.ts';
export { blockSizeOf, type IPPool, type IPPoolSpec, ipPools } from './calico/ip-pool.ts';
export { type AllocationAttribute, type IPAMBlock, ipamBlocks } from './calico/ipam-block.ts';
export { type IPAMConfiguration, ipamConfigurations } from './calico/ipam-configuration.ts';
export { type IPAMHandle, ipamHandles } from './calico/ipam-handle.ts';
export { calicoKinds, findKind } from './calico-kinds.ts';
export {
  type CustomResourceDefinition,
  crds,
  customResourceDefinitions,
  toCrd,
} from './custom-resource-definition.ts';
export * from './kubernetes/namespace.ts';
export * from './kubernetes/network-policy.ts';
export * from './kubernetes/node.ts';
export * from './kubernetes/pod.ts';
export { describeFault, type ManifestEntry, type ManifestFault, readManifest } from './manifest/index.ts';
export * from './resource.ts';
export { validate } from './validate.ts';
export { withDefaults } from './with-defaults.ts';
