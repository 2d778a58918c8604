// The door of the node room: the program calico-node.
export { unhealthy } from './health.ts';
export { installPlugins, writeNetworkConfiguration } from './install-cni.ts';
export { offerNetwork } from './offer-network.ts';
export { readOptions } from './options.ts';
export { runCalicoNode } from './run.ts';
export { uninstall } from './uninstall.ts';
