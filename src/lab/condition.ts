// Waiting for something to become true about a state that tells when it changes: no asking again and again.

export class Changes {
  readonly #waiting = new Set<() => void>();

  /** The state has changed: whoever waits looks again. */
  notify(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves when `isTrue` is, now or after a change. @throws Error with what `lacking` says at the deadline */
  until(isTrue: () => boolean, deadlineMs: number, lacking: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isTrue()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(lacking()));
      }, deadlineMs);
      const end = (): void => {
        this.#waiting.delete(look);
        clearTimeout(timer);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
