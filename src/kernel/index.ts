// The door of the kernel room: Linux over system calls and netlink. Exports what other rooms build on; decides nothing.
export { KernelError } from './ffi.ts';
export * from './netlink/index.ts';
