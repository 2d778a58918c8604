// The door of the datastore room.
export * from './datastore.ts';
export * from './errors.ts';
export { accessFromKubeconfig, accessFromPod, type ClusterAccess } from './kubernetes/cluster-access.ts';
export { type Credential, staticCredential } from './kubernetes/credentials.ts';
export { KubernetesDatastore, type KubernetesDatastoreOptions } from './kubernetes/kubernetes-datastore.ts';
export { type Interference, MemoryDatastore, type Operation } from './memory/memory-datastore.ts';
