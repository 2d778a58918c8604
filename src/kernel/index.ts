// The door of the kernel room: Linux over system calls and netlink. Exports what other rooms build on; decides nothing.
export * from './conntrack/index.ts';
export { KernelError } from './ffi.ts';
export * from './ip-sets/index.ts';
export * from './namespaces/index.ts';
export * from './netlink/index.ts';
export * from './nftables/index.ts';
export { awaitPacketsInFlight, packetsInFlight } from './packets-in-flight.ts';
export type { Watch } from './poller.ts';
export { pinToOneCpu, runBeforeOthers } from './processor.ts';
export * from './rtnetlink/index.ts';
export * from './sockets/index.ts';
