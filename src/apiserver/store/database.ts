// The SQLite file under the store: one table of objects as JSON, one row with the last revision. Knows no kinds.
import { DatabaseSync } from 'node:sqlite';
import type { KubeObject } from '../json.ts';

const tables = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS objects (
    collection TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (collection, namespace, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS revision (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO revision (id, last) VALUES (1, 1);
`;

export interface Database {
  /** The revision of the last write that is on disk. */
  readonly lastRevision: number;
  /** Every stored object, with the collection it lies in. */
  readAll(): Iterable<{ collection: string; object: KubeObject }>;
  put(collection: string, object: KubeObject, revision: number): void;
  remove(collection: string, namespace: string, name: string, revision: number): void;
  close(): void;
}

/** Opens (or makes) the database at a path, or in memory for ":memory:". @throws what SQLite says when it cannot. */
export function openDatabase(path: string): Database {
  const sqlite = new DatabaseSync(path);
  sqlite.exec(tables);
  const upsert = sqlite.prepare(
    'INSERT OR REPLACE INTO objects (collection, namespace, name, revision, json) VALUES (?, ?, ?, ?, ?)',
  );
  const remove = sqlite.prepare('DELETE FROM objects WHERE collection = ? AND namespace = ? AND name = ?');
  const advance = sqlite.prepare('UPDATE revision SET last = ?');
  const last = sqlite.prepare('SELECT last FROM revision').get()?.last;

  /** The object and the revision that it carries reach the disk together or not at all. */
  function atomically(write: () => void, revision: number): void {
    sqlite.exec('BEGIN IMMEDIATE');
    try {
      write();
      advance.run(revision);
      sqlite.exec('COMMIT');
    } catch (error) {
      sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  return {
    lastRevision: Number(last),
    *readAll() {
      for (const row of sqlite.prepare('SELECT collection, json FROM objects').iterate()) {
        yield { collection: String(row.collection), object: JSON.parse(String(row.json)) as KubeObject };
      }
    },
    put(collection, object, revision) {
      const { namespace = '', name } = object.metadata;
      const json = JSON.stringify(object);
      atomically(() => upsert.run(collection, namespace, name, revision, json), revision);
    },
    remove(collection, namespace, name, revision) {
      atomically(() => remove.run(collection, namespace, name), revision);
    },
    close: () => sqlite.close(),
  };
}
