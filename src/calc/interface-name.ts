// The name of the host's end of a pod's veth pair.
import { sha1 } from '@noble/hashes/legacy.js';

/** "cali" and 11 hexadecimal digits of the SHA-1 of "namespace.pod", as Calico names it: 15 characters, the kernel's most. */
export function interfaceNameOf(namespace: string, pod: string, prefix = 'cali'): string {
  const digest = sha1(new TextEncoder().encode(`${namespace}.${pod}`));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${prefix}${hex.slice(0, 11)}`;
}
