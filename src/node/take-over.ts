// Takes a node over from the Calico that ran on it before: once our rules are in force, those that it left are taken out.
// Links, routes, tunnels and addresses are the same under both, and stay.
import { findLeftovers } from '../dataplane/index.ts';
import type { Nftables } from '../kernel/index.ts';
import type { Logger } from '../process/index.ts';

/** What cannot be taken out is told, and stops nothing: it forbids too much at worst, for ours are asked as well. */
export async function takeOver(kernel: Nftables, log: Logger): Promise<void> {
  const { found, faults } = findLeftovers(kernel);
  const removed: string[] = [];
  const failures = [...faults];
  for (const leftover of found) {
    try {
      await leftover.remove();
      removed.push(leftover.what);
      if (leftover.warning !== undefined) log.warn(leftover.warning);
    } catch (error) {
      failures.push(error);
    }
  }
  if (removed.length > 0) log.info({ removed }, 'Took out what another Calico had left on this node');
  for (const error of failures)
    log.warn({ error }, 'Cannot take out what another Calico may have left on this node');
}
