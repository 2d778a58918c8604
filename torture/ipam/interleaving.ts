// Decides who goes next: every request of every process waits here at its start and at its end, and a random one is let on at a
// time. The same seed gives the same order.
import { setImmediate as settled } from 'node:timers/promises';
import type { Random } from '../random.ts';

export class Interleaving {
  readonly #random: Random;
  readonly #waiting: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Resolves when it is the caller's turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Hands out turns until all of this is done, and nobody waits any more. */
  async run(tasks: readonly Promise<unknown>[]): Promise<void> {
    let isDone = false;
    const all = Promise.all(tasks).finally(() => {
      isDone = true;
    });
    // A failure is thrown below; until then it must not count as unhandled.
    all.catch(() => {});
    for (;;) {
      await settled();
      const index = this.#random.below(Math.max(1, this.#waiting.length));
      const [next] = this.#waiting.splice(index, 1);
      if (next) next();
      else if (isDone) return void (await all);
    }
  }
}
