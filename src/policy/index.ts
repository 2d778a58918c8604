// The door of the policy room: the policy model, and what a cluster's objects say about a packet. Pure; runs in a browser.
export {
  type EndpointPort,
  podAnnotations,
  type WorkloadEndpoint,
  workloadEndpointOf,
} from './endpoint.ts';
export { type Cluster, evaluate, type Packet, type Verdict } from './evaluate.ts';
export { type ConvertedPolicy, fromKubernetesNetworkPolicy } from './kubernetes/network-policy.ts';
export * from './labels.ts';
export * from './model.ts';
export { comparePolicies, compareTiers } from './order.ts';
