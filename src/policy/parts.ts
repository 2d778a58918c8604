// Reading an object part by part: what cannot be understood is reported with its place and stands for as little as possible.

export class Parts {
  /** One sentence per part that could not be understood. */
  readonly faults: string[] = [];

  /** Returns what `read` returns, or `otherwise` when it throws. `where` is the part's place in the object. */
  attempt<T>(where: string, read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (error) {
      this.faults.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
      return otherwise;
    }
  }
}
