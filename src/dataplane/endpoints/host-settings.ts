// The kernel settings of a pod's link on the host, and how they are found changed: the kernel tells nobody of most of them.
import { readSysctl, writeSysctls } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';

/** A node passes packets on. */
export const nodeSettings = { 'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1 } as const;

/** Values by key, in the order in which they are to be written. */
export function hostSettings(link: string, family: Family): Record<string, number> {
  if (family === 4) {
    const conf = `net/ipv4/conf/${link}`;
    return {
      // Host ports on 127.0.0.1 reach pods.
      [`${conf}/route_localnet`]: 1,
      // The neighbour is permanent in the pod; these serve pods that flush their neighbours.
      [`net/ipv4/neigh/${link}/proxy_delay`]: 0,
      [`${conf}/proxy_arp`]: 1,
      [`${conf}/forwarding`]: 1,
    };
  }
  const conf = `net/ipv6/conf/${link}`;
  return {
    [`${conf}/accept_dad`]: 0,
    [`${conf}/disable_ipv6`]: 0,
    [`${conf}/proxy_ndp`]: 1,
    [`${conf}/forwarding`]: 1,
    [`${conf}/accept_ra`]: 0,
  };
}

/** Sets back what differs, and returns its keys. Settings of a link that is gone are nobody's. */
export function restoreSettings(namespace: number, wanted: Readonly<Record<string, number>>): string[] {
  const changed: string[] = [];
  for (const [key, value] of Object.entries(wanted)) {
    try {
      if (readSysctl(namespace, key) === String(value)) continue;
      writeSysctls(namespace, { [key]: value });
      changed.push(key);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return changed;
}
