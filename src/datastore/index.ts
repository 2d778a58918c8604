// The door of the datastore room.
export * from './datastore.ts';
export * from './errors.ts';
export { ifThere } from './if-there.ts';
export { ifUnchanged } from './if-unchanged.ts';
export {
  accessFromKubeconfig,
  accessFromKubeconfigs,
  accessFromKubeconfigText,
  accessFromPod,
  type ClusterAccess,
} from './kubernetes/cluster-access.ts';
export { staticCredential } from './kubernetes/credentials.ts';
export {
  KubernetesClient,
  type PatchType,
  type ServiceAccountToken,
} from './kubernetes/kubernetes-client.ts';
export { KubernetesDatastore, type KubernetesDatastoreOptions } from './kubernetes/kubernetes-datastore.ts';
export { MemoryDatastore } from './memory/memory-datastore.ts';
export { replacingPatch } from './replacing-patch.ts';
export { SoundDatastore } from './sound-datastore.ts';
