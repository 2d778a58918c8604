// The door of the kube-controllers room: the program that tidies up the cluster, once per cluster.
export { HostEndpointController } from './host-endpoint/host-endpoint-controller.ts';
export { KubeControllers } from './kube-controllers.ts';
export { LeaderElection } from './leader/leader-election.ts';
export { LoadBalancerController } from './load-balancer/load-balancer-controller.ts';
export { readOptions } from './options.ts';
export { PoolController } from './pool/pool-controller.ts';
export { TierController } from './tier/tier-controller.ts';
