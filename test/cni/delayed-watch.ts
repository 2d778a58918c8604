// A view of a store whose watches can be made late: events wait until they are let through, in their order. Reads are as ever.
import type { Datastore, FollowHandler } from '../../src/datastore/index.ts';
import type { Resource, ResourceKind } from '../../src/resources/index.ts';
import { storeView } from './store-view.ts';

export class DelayedWatch {
  readonly #kind: string;
  readonly #waiting: (() => void)[] = [];
  #isHeld = false;

  /** Of one kind: "Pod". */
  constructor(kind: string) {
    this.#kind = kind;
  }

  hold(): void {
    this.#isHeld = true;
  }

  /** Lets everything through that waits. Returns how much that was. */
  release(): number {
    this.#isHeld = false;
    const events = this.#waiting.splice(0);
    for (const event of events) event();
    return events.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  view(store: Datastore): Datastore {
    return storeView(store, (kind, handler, options) =>
      store.follow(kind, this.#late(kind, handler), options),
    );
  }

  #late<T extends Resource>(kind: ResourceKind<T>, handler: FollowHandler<T>): FollowHandler<T> {
    if (kind.kind !== this.#kind) return handler;
    const pass = (event: () => void) => {
      if (this.#isHeld) this.#waiting.push(event);
      else event();
    };
    return {
      onUpsert: (object) => pass(() => handler.onUpsert(object)),
      onDelete: (key, last) => pass(() => handler.onDelete(key, last)),
      onInSync: () => pass(() => handler.onInSync()),
    };
  }
}
