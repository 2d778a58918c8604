// What is said of ways to other nodes' pods that the kernel does not have: each once in the log, their number in the metrics, and
// in the node's readiness when it has no way at all. One node whose object is wrong makes no other node unready.
import type { OverlayFault } from '../dataplane/index.ts';
import { gauge, type Logger } from '../process/index.ts';

const faultsNow = gauge(
  'felix_overlay_faults',
  'Ways to other nodes\' pods that the kernel does not have; "all" is a tunnel that is away as a whole',
  ['family', 'extent'],
);

export class WaysToOthers {
  readonly #log: Logger;
  #faults: readonly OverlayFault[] = [];

  constructor(log: Logger) {
    this.#log = log;
    faultsNow.set([]);
  }

  /** Why the node is not ready, a sentence each; nothing when it is. */
  get unready(): string[] {
    return this.#faults.flatMap(({ extent, sentence }) => (extent === 'all' ? [sentence] : []));
  }

  /** Takes all that there are now. */
  lack(faults: readonly OverlayFault[]): void {
    const before = new Set(this.#faults.map(({ sentence }) => sentence));
    this.#faults = faults;
    const counts = Map.groupBy(faults, ({ family, extent }) => `IPv${family} ${extent}`);
    faultsNow.set([...counts].map(([labels, { length }]) => [labels.split(' '), length] as const));
    for (const { sentence } of faults) {
      if (!before.has(sentence)) this.#log.error(`${sentence}. Trying again`);
    }
    if (faults.length === 0 && before.size > 0)
      this.#log.info('All ways to other nodes are in the kernel again');
  }
}
