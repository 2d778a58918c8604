// The door of the node room: the program calico-node.
export { type CalicoNode, startCalicoNode } from './calico-node.ts';
export { installCni } from './install-cni.ts';
export { readOptions } from './options.ts';
