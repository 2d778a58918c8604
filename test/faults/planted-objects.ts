// Puts objects into an API server's store file while it is not running, past everything that would judge them.
import { DatabaseSync } from 'node:sqlite';
import { collectionOf } from '../../src/apiserver/kinds/resource-type.ts';
import type { Resource } from '../../src/resources/index.ts';
import type { HostileObject } from './hostile-objects.ts';

/** Stores them as they are. */
export function plantObjects(database: string, objects: readonly HostileObject[]): void {
  withStore(database, (store, revision) => {
    const insert = store.prepare(
      'INSERT OR REPLACE INTO objects (collection, namespace, name, revision, json) VALUES (?, ?, ?, ?, ?)',
    );
    for (const [position, { kind, object }] of objects.entries()) {
      const { namespace = '', name } = object.metadata;
      const at = revision + 1 + position;
      const stored: Resource = { ...object, metadata: { ...object.metadata, resourceVersion: String(at) } };
      insert.run(collectionOf(kind), namespace, name, at, JSON.stringify(stored));
    }
    return revision + objects.length;
  });
}

/** Takes them out again. */
export function uprootObjects(database: string, objects: readonly HostileObject[]): void {
  withStore(database, (store, revision) => {
    const remove = store.prepare('DELETE FROM objects WHERE collection = ? AND namespace = ? AND name = ?');
    for (const { kind, object } of objects)
      remove.run(collectionOf(kind), object.metadata.namespace ?? '', object.metadata.name);
    return revision + 1;
  });
}

function withStore(database: string, change: (store: DatabaseSync, revision: number) => number): void {
  const store = new DatabaseSync(database);
  try {
    const last = Number(store.prepare('SELECT last FROM revision').get()?.last);
    store.prepare('UPDATE revision SET last = ?').run(change(store, last));
  } finally {
    store.close();
  }
}
