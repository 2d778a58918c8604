// The door of the CNI room: the plugin's shim, and the server in calico-node that does its work.
export { IpamPlugin } from './ipam-plugin.ts';
export { CalicoNetwork } from './pod-network.ts';
export { CniServer } from './server.ts';
export { shimPath } from './shim/build.ts';
