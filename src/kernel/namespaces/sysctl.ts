// Kernel settings of a network namespace, as files under /proc/sys. Only synchronous file calls follow the thread into the
// namespace: asynchronous ones run on other threads, elsewhere. Keys are written with slashes, since link names may hold dots.
import { readFileSync, writeFileSync } from 'node:fs';
import { inNamespace } from './in-namespace.ts';

/** @param key as in "net/ipv4/conf/eth0/forwarding" @throws Error with code ENOENT when there is no such setting */
export function readSysctl(namespace: number, key: string): string {
  return inNamespace(namespace, () => readFileSync(pathOf(key), 'utf8').trimEnd());
}

/** Writes settings in the order given. @throws Error with the file's path and code ENOENT, EACCES or EINVAL, at the first that fails */
export function writeSysctls(namespace: number, settings: Readonly<Record<string, string | number>>): void {
  inNamespace(namespace, () => {
    for (const [key, value] of Object.entries(settings)) writeFileSync(pathOf(key), String(value));
  });
}

function pathOf(key: string): string {
  if (!/^net\/[^.]/.test(key) || key.split('/').includes('..')) {
    throw new RangeError(`"${key}" is not the key of a network setting, such as "net/ipv4/ip_forward"`);
  }
  return `/proc/sys/${key}`;
}
