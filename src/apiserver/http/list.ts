// Lists: selected, and in pages of one consistent snapshot.
import { randomUUID } from 'node:crypto';
import type { JsonObject, KubeObject } from '../json.ts';
import { jsonFault } from '../json-text.ts';
import { collectionOf, type ResourceType } from '../kinds/resource-type.ts';
import { parseFieldSelector } from '../objects/field-selector.ts';
import { parseLabelSelector } from '../objects/label-selector.ts';
import { badRequest, expired, StatusError } from '../status-error.ts';
import type { Store } from '../store/store.ts';
import { integerIn } from './list-options.ts';
import { listRevisionIn } from './revision.ts';

export interface Selection {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
}

interface Snapshot {
  readonly objects: readonly KubeObject[];
  readonly revision: number;
}

/** Unfinished lists that may still be continued; the oldest is forgotten first. Objects are shared, so one costs little. */
const maxSnapshots = 256;

/** A test for the selectors in a query, within the namespace and name of the path. @throws StatusError 400 */
export function selectorOf(selection: Selection, query: URLSearchParams): (object: KubeObject) => boolean {
  const matchesLabels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', selection.type);
  const { namespace, name } = selection;
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    fields.matches(object) &&
    matchesLabels(object);
}

export class Lists {
  readonly #store: Store;
  readonly #snapshots = new Map<string, Snapshot>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The objects of one page and the list's metadata. @throws StatusError 400, 410, 504 */
  list(
    selection: Selection,
    query: URLSearchParams,
  ): { objects: readonly KubeObject[]; metadata: JsonObject } {
    const limit = Math.max(0, integerIn(query, 'limit'));
    const token = query.get('continue');
    const at = token ? readToken(token) : undefined;
    const snapshot = at ? this.#snapshots.get(at.snapshot) : this.#take(selection, query);
    if (!snapshot) {
      throw expired(
        'The provided continue parameter is too old to display a consistent list result; start a new list without it',
      );
    }
    const from = at?.offset ?? 0;
    const objects =
      limit === 0 && from === 0
        ? snapshot.objects
        : snapshot.objects.slice(from, limit ? from + limit : undefined);
    const remaining = snapshot.objects.length - from - objects.length;
    const metadata: JsonObject = { resourceVersion: String(snapshot.revision) };
    if (remaining > 0) {
      const id = at?.snapshot ?? this.#keep(snapshot);
      metadata.continue = writeToken({ snapshot: id, offset: from + objects.length });
      // Of a selection the real server does not know how much is left.
      if (!isSelected(query)) metadata.remainingItemCount = remaining;
    }
    return { objects, metadata };
  }

  #take(selection: Selection, query: URLSearchParams): Snapshot {
    const revision = this.#store.revision;
    this.#assertRevision(collectionOf(selection.type), query);
    const all = this.#store.list(collectionOf(selection.type), selection.namespace);
    return { objects: all.filter(selectorOf(selection, query)), revision };
  }

  #assertRevision(collection: string, query: URLSearchParams): void {
    const asked = listRevisionIn(query);
    if (asked > this.#store.revision) {
      const message = `Timeout: Too large resource version: ${asked}, current: ${this.#store.revision}`;
      const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
      throw new StatusError(504, 'Timeout', message, { causes, retryAfterSeconds: 1 });
    }
    // The past is not kept, but a past in which nothing happened since is the present.
    const isExact = query.get('resourceVersionMatch') === 'Exact';
    if (isExact && this.#store.since(collection, asked)?.length !== 0) {
      throw expired(`The resourceVersion for the provided list is too old: ${asked}`);
    }
  }

  #keep(snapshot: Snapshot): string {
    const id = randomUUID();
    this.#snapshots.set(id, snapshot);
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > maxSnapshots && oldest !== undefined) this.#snapshots.delete(oldest);
    return id;
  }
}

function isSelected(query: URLSearchParams): boolean {
  return Boolean(query.get('labelSelector')) || Boolean(query.get('fieldSelector'));
}

interface Position {
  readonly snapshot: string;
  readonly offset: number;
}

function writeToken(position: Position): string {
  return Buffer.from(`${position.snapshot}/${position.offset}`).toString('base64url');
}

function readToken(token: string): Position {
  const text = Buffer.from(token, 'base64url');
  const match = /^([0-9a-f-]{36})\/(\d+)$/.exec(text.toString());
  if (!match) throw badRequest(`invalid continue token: continue key is not valid: ${faultOf(text)}`);
  return { snapshot: match[1] ?? '', offset: Number(match[2]) };
}

/** The real server's tokens are JSON, and what is not it says so of. */
function faultOf(token: Buffer): string {
  return jsonFault(token) ?? 'server does not recognize this encoded version ';
}
