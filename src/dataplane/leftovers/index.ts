// What the Calico that ran on this node before has left in the kernel and nobody needs any more once our rules are in force. Links of
// pods, routes, tunnels and addresses are the same under both: they are no leftovers.
import type { NetlinkSocketOptions, Nftables } from '../../kernel/index.ts';
import { findIpSets } from './ip-sets.ts';
import type { Leftover } from './leftover.ts';
import { findInNfTables } from './nf-tables.ts';
import { findInOldIptables } from './old-iptables.ts';

export type { Leftover } from './leftover.ts';

export interface Leftovers {
  /** In the order in which they are to go: what uses another comes before it. */
  readonly found: readonly Leftover[];
  /** Why some could not be looked for. */
  readonly faults: readonly unknown[];
}

/** Looks, and changes nothing; `place` is where the IP sets are, if not in the process's own namespace, whose old iptables is looked into. */
export function findLeftovers(kernel: Nftables, place: NetlinkSocketOptions = {}): Leftovers {
  const found: Leftover[] = [];
  const faults: unknown[] = [];
  for (const find of [() => findInNfTables(kernel), findInOldIptables, () => findIpSets(place)]) {
    try {
      found.push(...find());
    } catch (error) {
      faults.push(error);
    }
  }
  return { found, faults };
}
