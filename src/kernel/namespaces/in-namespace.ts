// Does something synchronous inside another network namespace. setns(2) moves the calling thread alone; nothing else of
// the process runs on the main thread meanwhile, as long as what is done is synchronous.
import { openSync } from 'node:fs';
import { c, checked } from '../ffi.ts';

const CLONE_NEWNET = 0x40000000;
const ownPath = '/proc/thread-self/ns/net';

let own: number | undefined;
let current: number | undefined;

/** File descriptor of the namespace that the process started in; opened at the first call and kept. */
export function ownNamespace(): number {
  own ??= openSync(ownPath, 'r');
  return own;
}

/**
 * Calls `action` with the main thread in a namespace and returns what it returns. Sockets and child processes that it makes
 * belong to that namespace, and /proc/sys/net shows it. May be nested.
 * The process is aborted when the thread cannot go back: it would go on with the host's business inside a pod.
 * @param namespace file descriptor @param action must not return a promise: what runs later runs elsewhere
 */
export function inNamespace<T>(namespace: number, action: () => T): T {
  const from = current ?? ownNamespace();
  checked(c.setns(namespace, CLONE_NEWNET), `Cannot enter the network namespace of descriptor ${namespace}`);
  current = namespace;
  try {
    return action();
  } finally {
    if (c.setns(from, CLONE_NEWNET) < 0) process.abort();
    current = from;
  }
}
