// Does something synchronous inside another network namespace. setns(2) moves the calling thread alone; nothing else of
// the process runs on the main thread meanwhile, as long as what is done is synchronous.
import { closeSync, openSync } from 'node:fs';
import { c, checked } from '../ffi.ts';

const CLONE_NEWNET = 0x40000000;
const threadPath = '/proc/thread-self/ns/net';

let own: number | undefined;
let current: number | undefined;

/** File descriptor of the namespace that the process started in; opened at the first call and kept. */
export function ownNamespace(): number {
  own ??= openSync(threadPath, 'r');
  return own;
}

/**
 * Calls `action` with the main thread in a namespace and returns what it returns. Sockets and child processes that it makes
 * (`inNamespace(fd, () => spawn(...))`) belong to that namespace, and /proc/sys/net shows it. May be nested.
 * The process is aborted when the thread cannot go back: it would go on with the host's business inside a pod.
 * @param namespace file descriptor @param action must not return a promise: what runs later runs elsewhere
 */
export function inNamespace<T>(namespace: number, action: () => T): T {
  return away(
    () =>
      checked(
        c.setns(namespace, CLONE_NEWNET),
        `Cannot enter the network namespace of descriptor ${namespace}`,
      ),
    namespace,
    action,
  );
}

/** As `inNamespace`, in a fresh namespace, which lasts as long as something made by `action` holds it. */
export function inNewNamespace<T>(action: () => T): T {
  return away(() => checked(c.unshare(CLONE_NEWNET), 'Cannot make a network namespace'), undefined, action);
}

function away<T>(leave: () => void, namespace: number | undefined, action: () => T): T {
  const from = current ?? ownNamespace();
  leave();
  const here = namespace ?? openSync(threadPath, 'r');
  current = here;
  try {
    return action();
  } finally {
    if (c.setns(from, CLONE_NEWNET) < 0) process.abort();
    current = from;
    if (namespace === undefined) closeSync(here);
  }
}
