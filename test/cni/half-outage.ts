// A view of a store that is out of reach when it is told to be, and is then heard again of one kind and not of another: an agent
// brings no policy into the kernel, or out of it, before that is over.
import type { Datastore, FollowProgress } from '../../src/datastore/index.ts';
import { storeView } from './store-view.ts';

export class HalfOutage {
  readonly #tell: ((progress: FollowProgress) => void)[] = [];

  view(store: Datastore): Datastore {
    return storeView(store, (kind, handler, options) => {
      this.#tell.push((progress) => handler.onProgress?.(progress));
      return store.follow(kind, handler, options);
    });
  }

  begin(): void {
    const [first, second] = this.#tell;
    first?.('behind');
    second?.('behind');
    second?.('in step');
  }

  end(): void {
    this.#tell[0]?.('in step');
  }
}
