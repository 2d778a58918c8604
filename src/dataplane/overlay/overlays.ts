// The ways to other nodes' pods, each family's apart from the others and from policy. What the kernel refuses of one of them is
// told of and tried again, with growing pauses, while everything else goes on: pods here are set up and protected without it.
import type { DesiredState } from '../../calc/index.ts';
import type { RoutingEvent } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import { deviceNames } from './own-tunnels.ts';
import type { Outcome } from './way-changes.ts';

export interface OverlayFault {
  readonly family: Family;
  /** No pod of another node is reached that way, or those alone are not of which the sentence speaks. */
  readonly extent: 'all' | 'some';
  readonly sentence: string;
}

/** A family's tunnel, its routes, or both. */
export interface Way {
  readonly family: Family;
  /** Makes the kernel hold what the state says of it. @throws when there is no way at all */
  synchronise(state: DesiredState): Outcome;
  /** Whether what the event tells is not as it should be, as far as can be said without asking the kernel. */
  contradicts(event: RoutingEvent): boolean;
}

const firstRetryMs = 100;
const longestRetryMs = 10_000;

export class Overlays {
  readonly #ways: readonly Way[];
  readonly #onFaults: (faults: readonly OverlayFault[]) => void;
  readonly #faults = new Map<Way, readonly OverlayFault[]>();
  #told = '';
  #state: DesiredState | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #isStopped = false;

  /** `onFaults` is told of all that is lacking whenever that is something else than before. */
  constructor(ways: readonly Way[], onFaults: (faults: readonly OverlayFault[]) => void) {
    this.#ways = ways;
    this.#onFaults = onFaults;
  }

  /** Compares the kernel with the state, and makes what differs. Returns in words what was changed of ways that were sound before. */
  synchronise(state: DesiredState): string[] {
    return this.#synchronise(state, this.#ways);
  }

  /** The same, but for ways that are away and wait to be tried again: each attempt takes the kernel its time. */
  follow(state: DesiredState): void {
    this.#synchronise(
      state,
      this.#ways.filter((way) => this.#timer === undefined || !this.#isAway(way)),
    );
  }

  contradicts(event: RoutingEvent): boolean {
    return this.#ways.some((way) => (this.#isAway(way) ? mayMakeRoom(event) : way.contradicts(event)));
  }

  /** Nothing is tried again afterwards. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #synchronise(state: DesiredState, ways: readonly Way[]): string[] {
    this.#state = state;
    const changed = ways.flatMap((way) => this.#attempt(way, state));
    this.#tryAgainLater();
    this.#tell();
    return changed;
  }

  #attempt(way: Way, state: DesiredState): readonly string[] {
    const { family } = way;
    const wasSound = !this.#faults.has(way);
    try {
      const { changed, lacking } = way.synchronise(state);
      const faults = lacking.map((sentence) => ({ family, extent: 'some', sentence }) as const);
      if (faults.length > 0) this.#faults.set(way, faults);
      else this.#faults.delete(way);
      return wasSound ? changed : [];
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      this.#faults.set(way, [{ family, extent: 'all', sentence }]);
      return [];
    }
  }

  #tryAgainLater(): void {
    if (this.#faults.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#retryMs = firstRetryMs;
    } else if (this.#timer === undefined && !this.#isStopped) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#state) this.synchronise(this.#state);
      }, this.#retryMs).unref();
      this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
    }
  }

  #tell(): void {
    const faults = this.#ways.flatMap((way) => this.#faults.get(way) ?? []);
    const told = faults.map(({ family, sentence }) => `${family} ${sentence}`).join('\n');
    if (told === this.#told) return;
    this.#told = told;
    this.#onFaults(faults);
  }

  #isAway(way: Way): boolean {
    return this.#faults.get(way)?.some(({ extent }) => extent === 'all') ?? false;
  }
}

/** Whether what a tunnel may want has become free. Of a program's port nobody tells. */
function mayMakeRoom(event: RoutingEvent): boolean {
  if (event.kind === 'resync') return true;
  if (event.kind !== 'link' || !event.gone) return false;
  return event.link.kind === 'vxlan' && !Object.values(deviceNames).includes(event.link.name);
}
