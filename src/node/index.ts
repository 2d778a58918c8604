// The door of the node room: the program calico-node.
export { installCni } from './install-cni.ts';
export { readOptions } from './options.ts';
export { runCalicoNode } from './run.ts';
