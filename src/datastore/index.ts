// The door of the datastore room.
export * from './datastore.ts';
export * from './errors.ts';
export { accessFromKubeconfig, accessFromPod, type ClusterAccess } from './kubernetes/cluster-access.ts';
export { staticCredential } from './kubernetes/credentials.ts';
export { KubernetesDatastore, type KubernetesDatastoreOptions } from './kubernetes/kubernetes-datastore.ts';
export { MemoryDatastore } from './memory/memory-datastore.ts';
