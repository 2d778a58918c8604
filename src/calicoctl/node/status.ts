// `calicoctl node status`: whether calico-node runs on this machine, and what BGP says.
import { readdirSync, readFileSync } from 'node:fs';
import { bgpPaths } from '../../bgp/index.ts';
import { bgpStatus } from './bgp-status.ts';

/** Returns 1 when calico-node does not run here. */
export async function status(): Promise<number> {
  const pid = findCalicoNode();
  process.stdout.write(
    pid === undefined ? 'Calico process is not running.\n' : `Calico process is running (pid ${pid}).\n`,
  );
  process.stdout.write(await bgpStatus(bgpPaths(process.env.CALICO_ROOT)));
  return pid === undefined ? 1 : 0;
}

/** The first process whose program is calico-node; undefined when there is none. */
function findCalicoNode(): number | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').slice(0, 2);
      if (words.some((word) => /(^|\/)calico-node(\.[jt]s)?$/.test(word))) return Number(entry);
    } catch (error) {
      // It ended between the listing and the look at it.
      if (
        !(error instanceof Error) ||
        !('code' in error) ||
        !['ENOENT', 'ESRCH'].includes(String(error.code))
      )
        throw error;
    }
  }
  return undefined;
}
