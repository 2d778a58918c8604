// Keeps the kernel as it was last made, whoever else has a hand in it: looks when the kernel tells of a change that was not
// ours, and from time to time where it does not tell. What had to be set right is counted each time and logged once.
import { type Logger, type Tally, timerMs } from '../process/index.ts';

/** Our table; links, routes and neighbours; kernel settings. */
type UpkeptPart = 'table' | 'routing' | 'settings';

/** A dataplane that can say what has become of what it made. */
export interface Upkept {
  watch(doubt: (part: UpkeptPart) => void): Disposable;
  /** What of the table is otherwise than it should be, in words; undefined when nothing. */
  auditTable(): Promise<string | undefined>;
  /** Sets links, routes and neighbours right, and returns in words what was not. */
  repairRouting(): string[];
  /** Sets kernel settings right, and returns those that were not. */
  repairSettings(): Promise<string[]>;
}

export interface UpkeepOptions {
  readonly dataplane: Upkept;
  /** Brings all of the table into the kernel anew. */
  readonly rewriteTable: () => void;
  /** Milliseconds between looks; 0 for never. */
  readonly intervals: { readonly table: number; readonly routing: number; readonly settings: number };
  readonly log: Logger;
  readonly repairs: Tally;
}

/** The same part is logged again after this long without a repair; a fight is one line, and a number in the metrics. */
const quietMs = 60_000;

export class Upkeep implements Disposable {
  readonly #options: UpkeepOptions;
  readonly #watch: Disposable;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #doubted = new Set<UpkeptPart>();
  readonly #lastRepair = new Map<UpkeptPart, number>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { dataplane, intervals } = options;
    this.#watch = dataplane.watch((part) => this.#doubt(part));
    this.#every(intervals.table, 'table', async () => {
      const difference = await dataplane.auditTable();
      if (difference !== undefined) this.#rewrite(difference);
    });
    this.#every(intervals.routing, 'routing', () => this.#repairRouting());
    this.#every(intervals.settings, 'settings', () => this.#repairSettings());
  }

  /** Looks at once: what happened while nobody watched. */
  look(): void {
    this.#doubt('routing');
    this.#doubt('settings');
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Many events are one doubt: a table that goes is told of object by object. */
  #doubt(part: UpkeptPart): void {
    if (this.#doubted.has(part)) return;
    this.#doubted.add(part);
    setImmediate(() => {
      this.#doubted.delete(part);
      if (part === 'table') this.#rewrite('another program has changed it');
      else if (part === 'routing') this.#guarded(part, () => this.#repairRouting());
      else this.#guarded(part, () => this.#repairSettings());
    });
  }

  #rewrite(difference: string): void {
    this.#repaired('table', [difference]);
    this.#options.rewriteTable();
  }

  #repairRouting(): void {
    this.#repaired('routing', this.#options.dataplane.repairRouting());
  }

  async #repairSettings(): Promise<void> {
    this.#repaired('settings', await this.#options.dataplane.repairSettings());
  }

  #repaired(part: UpkeptPart, what: readonly string[]): void {
    if (what.length === 0) return;
    this.#options.repairs.add(part, what.length);
    const now = performance.now();
    const isNews = now - (this.#lastRepair.get(part) ?? Number.NEGATIVE_INFINITY) > quietMs;
    this.#lastRepair.set(part, now);
    if (isNews)
      this.#options.log.warn(
        { part, repairs: what.slice(0, 20) },
        'Another program changed what is ours; set right',
      );
  }

  #every(ms: number, part: UpkeptPart, look: () => void | Promise<void>): void {
    if (ms > 0) this.#timers.push(setInterval(() => this.#guarded(part, look), timerMs(ms)).unref());
  }

  /** What cannot be looked at or repaired now is tried again with the next event or the next look. */
  #guarded(part: UpkeptPart, look: () => void | Promise<void>): void {
    const failed = (error: unknown) =>
      this.#options.log.error({ error, part }, 'Cannot compare the kernel with what it should hold');
    try {
      look()?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
