// The IP sets that Calico's rules among iptables' looked addresses up in: a cluster's policies may take thousands of entries.
import { setTimeout as delay } from 'node:timers/promises';
import { IpSets, type NetlinkSocketOptions } from '../../kernel/index.ts';
import type { Leftover } from './leftover.ts';

/** "cali40s:..." and "cali60all-ipam-pools"; "cali4t0" while one is replaced. */
const ownSets = /^cali[46]/;
/** The kernel lets go of a rule's sets when it gets to it, and tells nobody: a moment after the rule has gone. */
const [attempts, betweenMs] = [100, 20];

export function findIpSets(place: NetlinkSocketOptions): Leftover[] {
  using sets = IpSets.open(place);
  const { length } = ownNames(sets);
  return length > 0 ? [{ what: `${length} IP sets`, remove: () => removeIpSets(place) }] : [];
}

async function removeIpSets(place: NetlinkSocketOptions): Promise<void> {
  using sets = IpSets.open(place);
  let left = ownNames(sets);
  for (let attempt = 1; left.length > 0; attempt++) {
    left = left.filter((name) => !sets.destroy(name));
    if (left.length > 0 && attempt === attempts) {
      throw new Error(
        `Cannot destroy ${left.length} IP sets of another Calico: rules use them still, "${left[0]}" among them. Take those rules out, and then the sets: ipset destroy ${left[0]}`,
      );
    }
    if (left.length > 0) await delay(betweenMs);
  }
}

function ownNames(sets: IpSets): string[] {
  return sets.names().filter((name) => ownSets.test(name));
}
