// After an outage of the API server its kinds come back one after the other. What one of them says alone may be half of a
// picture: policies that are gone, but not yet the pods and namespaces that went with them. So nothing is brought into the
// kernel from the first that is heard again until all are in step, or until waiting for the last has lasted too long.
import type { FollowProgress } from '../datastore/index.ts';

/** Longer than an agent takes to ask again: one kind that fails for ever must not stop the others for ever. */
const patienceMs = 15_000;

export class Outage {
  readonly #ended: () => void;
  readonly #behind = new Set<string>();
  /** Some kind has been heard again while others have not. */
  #timer: NodeJS.Timeout | undefined;
  #isOutOfPatience = false;

  /** `ended` is called when whatever was put off may be done. */
  constructor(ended: () => void) {
    this.#ended = ended;
  }

  /** Whether what is known is half a picture. */
  get isHalfOver(): boolean {
    return this.#timer !== undefined;
  }

  note(kind: string, progress: FollowProgress): void {
    if (progress === 'in step') this.#behind.delete(kind);
    else this.#behind.add(kind);
    if (this.#behind.size === 0) {
      this.#isOutOfPatience = false;
      this.stop();
      this.#ended();
    } else if (progress !== 'behind' && !this.#isOutOfPatience) {
      this.#timer ??= setTimeout(() => {
        this.#isOutOfPatience = true;
        this.#timer = undefined;
        this.#ended();
      }, patienceMs).unref();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
