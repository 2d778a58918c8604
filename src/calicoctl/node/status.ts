// `calicoctl node status`: whether calico-node runs on this machine, and what BGP says.
import { readdirSync, readFileSync } from 'node:fs';
import { bgpPaths } from '../../bgp/index.ts';
import { bgpStatus, bgpStatusText } from './bgp-status.ts';

export interface StatusOptions {
  readonly output?: 'json';
}

/** Returns 1 when calico-node does not run here. */
export async function status({ output }: StatusOptions): Promise<number> {
  const pid = findCalicoNode();
  const bgp = await bgpStatus(bgpPaths(process.env.CALICO_ROOT));
  const code = pid === undefined ? 1 : 0;
  if (output === 'json') {
    const calicoNode = { isRunning: pid !== undefined, ...(pid !== undefined && { pid }) };
    process.stdout.write(`${JSON.stringify({ calicoNode, bgp }, null, 2)}\n`);
    return code;
  }
  process.stdout.write(`Calico process is ${pid === undefined ? 'not ' : ''}running.\n`);
  process.stdout.write(bgpStatusText(bgp));
  return code;
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
