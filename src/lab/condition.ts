// Waiting for something to become true about a state that tells when it changes: no asking again and again.

/** How long to wait, and what ends the wait before that. */
export interface Patience {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export class Changes {
  readonly #waiting = new Set<() => void>();

  /** The state has changed: whoever waits looks again. */
  notify(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves when `isTrue` is, now or after a change. @throws Error with what `lacking` says at the deadline, or the signal's reason */
  until(isTrue: () => boolean, { deadlineMs, signal }: Patience, lacking: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isTrue()) return;
        end();
        resolve();
      };
      const fail = (reason: unknown): void => {
        end();
        reject(reason);
      };
      const abort = (): void => fail(signal.reason);
      const timer = setTimeout(() => fail(new Error(lacking())), deadlineMs);
      const end = (): void => {
        this.#waiting.delete(look);
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
      else look();
    });
  }
}
