// After an outage of the API server its kinds come back one after the other. What one of them says alone may be half of a
// picture: policies that are gone, but not yet the pods and namespaces that went with them. So nothing is brought into the
// kernel from the first that is heard again until all are in step, or until waiting for the last has lasted too long.
import type { FollowProgress } from '../datastore/index.ts';

/** Longer than an agent takes to ask again: one kind that fails for ever must not stop the others for ever. */
const patienceMs = 15_000;

/** When the first kind is in step again, others may not even have noticed yet that they have lost touch. */
const settleMs = 200;

export class Outage {
  readonly #ended: () => void;
  readonly #behind = new Set<string>();
  /** Some kind has been heard again while others have not. */
  #waiting: NodeJS.Timeout | undefined;
  /** All are in step, since just now. */
  #settling: NodeJS.Timeout | undefined;
  #isOutOfPatience = false;

  /** `ended` is called when whatever was put off may be done. */
  constructor(ended: () => void) {
    this.#ended = ended;
  }

  /** Whether what is known may be half a picture. */
  get isHalfOver(): boolean {
    return this.#waiting !== undefined || this.#settling !== undefined;
  }

  note(kind: string, progress: FollowProgress): void {
    if (progress === 'in step') this.#behind.delete(kind);
    else this.#behind.add(kind);
    const isHalf = this.isHalfOver || progress !== 'behind';
    clearTimeout(this.#settling);
    this.#settling = undefined;
    if (this.#behind.size === 0) {
      clearTimeout(this.#waiting);
      this.#waiting = undefined;
      this.#isOutOfPatience = false;
      this.#settling = this.#after(settleMs, () => {});
    } else if (isHalf && !this.#isOutOfPatience) {
      this.#waiting ??= this.#after(patienceMs, () => {
        this.#isOutOfPatience = true;
      });
    }
  }

  stop(): void {
    clearTimeout(this.#waiting);
    clearTimeout(this.#settling);
    this.#waiting = undefined;
    this.#settling = undefined;
  }

  #after(ms: number, then: () => void): NodeJS.Timeout {
    return setTimeout(() => {
      this.stop();
      then();
      this.#ended();
    }, ms).unref();
  }
}
