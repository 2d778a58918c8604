// The door of the node room: the program calico-node.
export { unhealthy } from './health.ts';
export { installPlugins, writeNetworkConfiguration } from './install-cni.ts';
export { forgetNode } from './network-condition.ts';
export { offerNetwork, withdrawStaleOffer } from './offer-network.ts';
export { type NodeOptions, readOptions } from './options.ts';
export { runCalicoNode } from './run.ts';
export { uninstall } from './uninstall.ts';
