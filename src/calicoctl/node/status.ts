// `calicoctl node status`: whether calico-node runs on this machine, and what BGP says.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Where BIRD listens for questions, per family. */
const birdSockets = { IPv4: '/var/run/calico/bird.ctl', IPv6: '/var/run/calico/bird6.ctl' } as const;

/** Returns 1 when calico-node does not run here. */
export function status(): number {
  const pid = findCalicoNode();
  process.stdout.write(
    pid === undefined ? 'Calico process is not running.\n' : `Calico process is running (pid ${pid}).\n`,
  );
  for (const [family, socket] of Object.entries(birdSockets)) {
    process.stdout.write(
      existsSync(socket)
        ? `\n${family} BGP status\nBIRD listens at ${socket}; ask it with "birdc -s ${socket} show protocols".\n`
        : `\n${family} BGP status\nBGP is not running.\n`,
    );
  }
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
