// What BIRD says of itself ("show status").
import type { BirdLine } from './control-socket.ts';

export interface DaemonStatus {
  readonly version: string;
  readonly routerId: string;
  readonly lastBoot: Date;
  readonly lastReconfiguration: Date;
  /** It waits for its peers to tell their routes again, and changes nothing in the kernel until then. */
  readonly isRecovering: boolean;
}

export function daemonStatusIn(lines: readonly BirdLine[]): DaemonStatus {
  const text = lines.map((line) => line.text).join('\n');
  const find = (pattern: RegExp) => pattern.exec(text)?.[1] ?? '';
  const time = (what: string) => new Date(find(new RegExp(`${what} on (\\S+ \\S+)`)).replace(' ', 'T'));
  return {
    version: find(/^BIRD v?(\S+)/m),
    routerId: find(/Router ID is (\S+)/),
    lastBoot: time('Last reboot'),
    lastReconfiguration: time('Last reconfiguration'),
    isRecovering: text.includes('Graceful restart recovery in progress'),
  };
}
