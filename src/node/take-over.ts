// Takes a node over from the Calico that ran on it before: once our rules are in force, those that it left are taken out.
// Links, routes, tunnels and addresses are the same under both, and stay.
import { removeLeftovers } from '../dataplane/index.ts';
import type { Nftables } from '../kernel/index.ts';
import type { Logger } from '../process/index.ts';
import { removeLegacyLeftovers } from './legacy-iptables.ts';

/** What cannot be taken out is told, and stops nothing: it forbids too much at worst, for ours are asked as well. */
export function takeOver(kernel: Nftables, log: Logger): void {
  for (const remove of [() => removeLeftovers(kernel), removeLegacyLeftovers]) {
    try {
      const removed = remove();
      if (removed.length > 0) log.info({ removed }, 'Took out what another Calico had left on this node');
    } catch (error) {
      log.warn({ error }, 'Cannot take out what another Calico may have left on this node');
    }
  }
}
