// The door of the policy room: the policy model, and what a cluster's objects say about a packet. Pure; runs in a browser.

export { podAnnotations } from './annotations.ts';
export {
  allInterfaces,
  defaultAllowProfile,
  type HostEndpoint,
  hostEndpointOf,
} from './calico/host-endpoint.ts';
export { fromCalicoNetworkPolicy, fromGlobalNetworkPolicy } from './calico/network-policy.ts';
export { networkSetNets } from './calico/network-set.ts';
export { tierOf } from './calico/tier.ts';
export type { ConvertedPolicy } from './converted-policy.ts';
export { type EndpointPort, type WorkloadEndpoint, workloadEndpointOf } from './endpoint.ts';
export type { Cluster, Packet, Verdict } from './evaluate/cluster.ts';
export { evaluate, evaluatorOf } from './evaluate/evaluate.ts';
export { fromClusterNetworkPolicy } from './kubernetes/cluster-network-policy.ts';
export { fromKubernetesNetworkPolicy } from './kubernetes/network-policy.ts';
export { serviceEndpoints } from './kubernetes/service-endpoints.ts';
export * from './labels.ts';
export * from './model.ts';
export { comparePolicies, compareTiers } from './order.ts';
export { type Bandwidth, type PodPath, podPathOf, type TrafficLimits } from './pod-path.ts';
