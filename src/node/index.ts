// The door of the node room: the program calico-node.
export { type CalicoNode, startCalicoNode } from './calico-node.ts';
export { readOptions } from './options.ts';
