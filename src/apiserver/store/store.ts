// The objects: all of them in memory, each write on disk first, each change told to subscribers and kept in a bounded history.
// It gives out revisions and knows nothing of kinds, defaults or HTTP. Everything is synchronous, so a read-check-write
// by one caller is atomic.
import type { KubeObject } from '../json.ts';
import { type Database, openDatabase } from './database.ts';

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly revision: number;
  /** The new state; of a deletion the last one, carrying the deletion's revision. */
  readonly object: KubeObject;
  /** The state before; absent for an addition. */
  readonly previous?: KubeObject;
}

export type StoreListener = (event: StoreEvent) => void;

interface Collection {
  readonly objects: Map<string, KubeObject>;
  /** In the order of namespace and name; undefined when a write made it stale. */
  sorted: readonly KubeObject[] | undefined;
  readonly listeners: Set<StoreListener>;
}

const keyOf = (namespace: string, name: string) => `${namespace}/${name}`;

export class Store {
  readonly #database: Database;
  readonly #collections = new Map<string, Collection>();
  readonly #listeners = new Set<StoreListener>();
  readonly #historyLimit: number;
  #history: StoreEvent[] = [];
  #revision: number;
  /** Whoever has seen this revision can be told of everything since. */
  #oldestResumable: number;

  constructor(path: string, historyLimit = 10_000) {
    this.#database = openDatabase(path);
    this.#historyLimit = historyLimit;
    this.#revision = this.#database.lastRevision;
    this.#oldestResumable = this.#revision;
    for (const { collection, object } of this.#database.readAll()) {
      const { namespace = '', name } = object.metadata;
      this.#collection(collection).objects.set(keyOf(namespace, name), object);
    }
  }

  /** The revision of the last write to anything. */
  get revision(): number {
    return this.#revision;
  }

  get(collection: string, namespace: string, name: string): KubeObject | undefined {
    return this.#collection(collection).objects.get(keyOf(namespace, name));
  }

  /** In the order of namespace and name; the array is shared and stays as it is when objects change later. */
  list(collection: string, namespace?: string): readonly KubeObject[] {
    const held = this.#collection(collection);
    held.sorted ??= [...held.objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
    if (namespace === undefined) return held.sorted;
    return held.sorted.filter((object) => object.metadata.namespace === namespace);
  }

  /** Stores the object as new or over the one that has its name; returns it with its new resourceVersion. */
  put(collection: string, object: KubeObject): KubeObject {
    const revision = this.#revision + 1;
    const stored = withRevision(object, revision);
    this.#database.put(collection, stored, revision);
    const held = this.#collection(collection);
    const key = keyOf(stored.metadata.namespace ?? '', stored.metadata.name);
    const previous = held.objects.get(key);
    held.objects.set(key, stored);
    const type = previous ? 'MODIFIED' : 'ADDED';
    this.#record({ type, collection, revision, object: stored, ...(previous ? { previous } : {}) });
    return stored;
  }

  /** Removes the object; returns its last state with the deletion's revision. */
  remove(collection: string, object: KubeObject): KubeObject {
    const { namespace = '', name } = object.metadata;
    const revision = this.#revision + 1;
    const last = withRevision(object, revision);
    this.#database.remove(collection, namespace, name, revision);
    const { objects } = this.#collection(collection);
    // The write that removes an object may have changed it, too: whoever selected what it was is to be told.
    const previous = objects.get(keyOf(namespace, name)) ?? object;
    objects.delete(keyOf(namespace, name));
    this.#record({ type: 'DELETED', collection, revision, object: last, previous });
    return last;
  }

  /** What happened to a collection after a revision; undefined when that is too long ago to know, or not yet. */
  since(collection: string, revision: number): readonly StoreEvent[] | undefined {
    if (revision < this.#oldestResumable || revision > this.#revision) return undefined;
    return this.#history.filter((event) => event.revision > revision && event.collection === collection);
  }

  /** Calls the listener, synchronously, for every later change of one collection (or of all); returns how to stop. */
  subscribe(collection: string | undefined, listener: StoreListener): () => void {
    const listeners = collection === undefined ? this.#listeners : this.#collection(collection).listeners;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  close(): void {
    this.#database.close();
  }

  #record(event: StoreEvent): void {
    this.#revision = event.revision;
    const held = this.#collection(event.collection);
    held.sorted = undefined;
    this.#history.push(event);
    // Trimmed in bulk, so that a write costs no copy of the history.
    if (this.#history.length > this.#historyLimit * 1.25) {
      const dropped = this.#history.length - this.#historyLimit;
      this.#oldestResumable = this.#history[dropped - 1]?.revision ?? this.#oldestResumable;
      this.#history = this.#history.slice(dropped);
    }
    for (const listener of held.listeners) listener(event);
    for (const listener of this.#listeners) listener(event);
  }

  #collection(name: string): Collection {
    let held = this.#collections.get(name);
    if (!held) {
      held = { objects: new Map(), sorted: undefined, listeners: new Set() };
      this.#collections.set(name, held);
    }
    return held;
  }
}

function withRevision(object: KubeObject, revision: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}
