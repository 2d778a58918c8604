// Delivers to one follower what happens to a kind: later than the write, in its order, filtered by the follower's selectors.
import { keyOf, type ObjectKey, type Resource } from '../../resources/index.ts';
import type { Follower, FollowHandler } from '../datastore.ts';

export class FollowQueue<T extends Resource> implements Follower {
  readonly #handler: FollowHandler<T>;
  readonly #matches: (object: Resource) => boolean;
  readonly #onStop: () => void;
  /** What the follower has been told of, so that an object which stops matching is reported as deleted. */
  readonly #told = new Set<string>();
  #waiting: (() => void)[] = [];
  #stopped = false;

  constructor(handler: FollowHandler<T>, matches: (object: Resource) => boolean, onStop: () => void) {
    this.#handler = handler;
    this.#matches = matches;
    this.#onStop = onStop;
  }

  stored(object: T): void {
    this.#later(() => {
      const key = keyOf(object);
      if (this.#matches(object)) {
        this.#told.add(key);
        this.#handler.onUpsert(object);
      } else if (this.#told.delete(key)) this.#handler.onDelete(objectKey(object), object);
    });
  }

  removed(last: T): void {
    this.#later(() => {
      if (this.#told.delete(keyOf(last))) this.#handler.onDelete(objectKey(last), last);
    });
  }

  inSync(): void {
    this.#later(() => this.#handler.onInSync());
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    this.#onStop();
  }

  #later(deliver: () => void): void {
    if (this.#stopped) return;
    if (this.#waiting.push(deliver) === 1) setImmediate(() => this.#drain());
  }

  #drain(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    for (const deliver of batch) {
      if (this.#stopped) return;
      deliver();
    }
  }
}

function objectKey({ metadata: { name, namespace } }: Resource): ObjectKey {
  return namespace ? { namespace, name } : { name };
}
