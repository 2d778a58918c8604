// The door of the net room: addresses, blocks, ranges and protocols. Pure; knows nothing of Kubernetes or of the kernel.
export * from './address.ts';
export * from './cidr.ts';
export * from './protocol.ts';
export * from './ranges.ts';
