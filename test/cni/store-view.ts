// A store as somebody sees it who is told of its objects otherwise than they come.
import type { Datastore } from '../../src/datastore/index.ts';

export function storeView(store: Datastore, follow: Datastore['follow']): Datastore {
  return {
    get: store.get.bind(store),
    list: store.list.bind(store),
    create: store.create.bind(store),
    update: store.update.bind(store),
    updateStatus: store.updateStatus.bind(store),
    mergePatch: store.mergePatch.bind(store),
    delete: store.delete.bind(store),
    close: store.close.bind(store),
    follow,
  };
}
