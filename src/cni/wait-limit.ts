// How long a request waits for others, all in all, before whoever asks is told to ask again.
import { timerMs } from '../process/index.ts';
import { CniError, cniErrorCodes } from './errors.ts';

export class WaitLimit {
  readonly #ms: number | undefined;
  #waitedMs = 0;

  /** Undefined waits for ever. */
  constructor(ms: number | undefined) {
    this.#ms = ms;
  }

  /**
   * Rejects with code 11 when nothing is left of the limit before `awaited`, which goes on all the same.
   * @param late begins the error's sentence, "X has not done Y"
   */
  async within<T>(awaited: Promise<T>, late: () => string): Promise<T> {
    const ms = this.#ms;
    if (ms === undefined) return awaited;
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const begun = performance.now();
    const timer = setTimeout(
      () => reject(new CniError(cniErrorCodes.tryAgainLater, `${late()} after ${ms} ms`)),
      timerMs(Math.max(0, ms - this.#waitedMs)),
    );
    try {
      return await Promise.race([awaited, tooLate]);
    } finally {
      clearTimeout(timer);
      this.#waitedMs += performance.now() - begun;
    }
  }
}
