// How long to wait before trying again: longer each time, at random, so that a crowd does not return as one.

export interface BackoffRange {
  readonly firstMs: number;
  readonly maxMs: number;
}

export class Backoff {
  readonly #range: BackoffRange;
  #failures = 0;

  constructor(range: BackoffRange) {
    this.#range = range;
  }

  /** Milliseconds until the next attempt: between half and all of a span that doubles with every call. */
  next(): number {
    const span = Math.min(this.#range.maxMs, this.#range.firstMs * 2 ** this.#failures);
    this.#failures++;
    return span * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
