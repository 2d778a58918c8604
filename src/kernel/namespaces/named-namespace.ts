// Network namespaces with a name: a file under /run/netns with the namespace mounted on it, as ip-netns(8) and container
// runtimes have it. A namespace made here has nothing but a loopback link that is down.
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { c, checked, errno, KernelError, lastErrno } from '../ffi.ts';
import { inNewNamespace } from './in-namespace.ts';

const MS_BIND = 0x1000;
const MNT_DETACH = 0x2;
const directory = '/run/netns';

/** Where a named namespace is to be found. */
export function namespacePath(name: string): string {
  return `${directory}/${name}`;
}

/** Opens a namespace by its path. Returns a file descriptor, to be closed with `closeNamespace`. @throws Error with code ENOENT */
export function openNamespace(path: string): number {
  return openSync(path, 'r');
}

export function closeNamespace(namespace: number): void {
  closeSync(namespace);
}

/** Makes a named namespace. @throws Error with code EEXIST when the name is taken */
export function createNamespace(name: string): void {
  mkdirSync(directory, { recursive: true });
  const path = namespacePath(name);
  closeSync(openSync(path, 'wx', 0o444));
  try {
    inNewNamespace(() =>
      checked(
        c.mount('/proc/thread-self/ns/net', path, 'none', MS_BIND, null),
        `Cannot mount the network namespace "${name}" on ${path}`,
      ),
    );
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Removes a name. The namespace itself ends when no process, socket or descriptor holds it. A name that is not there is no error. */
export function deleteNamespace(name: string): void {
  const path = namespacePath(name);
  if (c.umount2(path, MNT_DETACH) < 0) {
    const reason = lastErrno();
    // EINVAL: a file with nothing mounted on it, which an interrupted creation leaves behind.
    if (reason !== errno.ENOENT && reason !== errno.EINVAL) {
      throw new KernelError(`Cannot unmount the network namespace "${name}"`, reason);
    }
  }
  rmSync(path, { force: true });
}
