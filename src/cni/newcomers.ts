// Containers that are being set up while garbage is collected: what the node holds of them looks like garbage, because no list
// that the runtime made before can have them.

export class Newcomers {
  readonly #present = new Map<string, number>();
  /** Of each collection that is under way: who was being set up at any moment of it. */
  readonly #notes = new Set<Set<string>>();

  /** Counts a container as new for as long as it is being set up. */
  async during<T>(containerId: string, setUp: () => Promise<T>): Promise<T> {
    this.#present.set(containerId, (this.#present.get(containerId) ?? 0) + 1);
    for (const note of this.#notes) note.add(containerId);
    try {
      return await setUp();
    } finally {
      const left = (this.#present.get(containerId) ?? 1) - 1;
      if (left > 0) this.#present.set(containerId, left);
      else this.#present.delete(containerId);
    }
  }

  /** Hands over a set that grows by everybody who comes before `collect` has ended. */
  async noted<T>(collect: (newcomers: ReadonlySet<string>) => Promise<T>): Promise<T> {
    const note = new Set(this.#present.keys());
    this.#notes.add(note);
    try {
      return await collect(note);
    } finally {
      this.#notes.delete(note);
    }
  }
}
