// Watches: one JSON event per line, for as long as the client listens. An event is serialized once for all watchers that
// want it in the same form; a watcher that does not keep up is cut off and has to resume.
import type { ServerResponse } from 'node:http';
import type { JsonObject, KubeObject } from '../json.ts';
import { apiVersionOf, collectionOf, type ResourceType } from '../kinds/resource-type.ts';
import { badRequest, expired } from '../status-error.ts';
import type { Store, StoreEvent } from '../store/store.ts';
import { type Selection, selectorOf } from './list.ts';
import type { Representation } from './representation.ts';

/** What may wait for a slow client before it is cut off. */
const maxWaitingBytes = 8 * 1024 * 1024;
/** Clients expect a bookmark about once a minute. */
const bookmarkIntervalMs = 50_000;

interface Watcher {
  readonly type: ResourceType;
  readonly representation: Representation;
  readonly response: ServerResponse;
  readonly matches: (object: KubeObject) => boolean;
  readonly wantsBookmarks: boolean;
}

export class Watches {
  readonly #store: Store;
  readonly #watchers = new Map<Watcher, () => void>();
  readonly #serialized = new WeakMap<StoreEvent, Map<string, Buffer>>();
  readonly #bookmarks: NodeJS.Timeout;

  constructor(store: Store) {
    this.#store = store;
    this.#bookmarks = setInterval(() => {
      for (const watcher of this.#watchers.keys()) if (watcher.wantsBookmarks) this.#bookmark(watcher);
    }, bookmarkIntervalMs);
    this.#bookmarks.unref();
  }

  /** Answers a watch request and keeps it served until either side ends it. @throws StatusError 400, before anything is sent */
  open(
    selection: Selection,
    query: URLSearchParams,
    representation: Representation,
    response: ServerResponse,
  ): void {
    const { type } = selection;
    const matches = selectorOf(selection, query);
    const wantsBookmarks = isTrue(query.get('allowWatchBookmarks'));
    const watcher: Watcher = { type, representation, response, matches, wantsBookmarks };
    const from = query.get('resourceVersion') || '0';
    const timeoutSeconds = Number(query.get('timeoutSeconds') ?? 0);
    if (!/^\d+$/.test(from)) throw badRequest(`invalid resourceVersion: "${from}"`);
    if (!(timeoutSeconds >= 0)) throw badRequest(`invalid timeoutSeconds: "${query.get('timeoutSeconds')}"`);

    response.writeHead(200, {
      'Content-Type': representation.contentType,
      'Cache-Control': 'no-cache, private',
    });
    response.flushHeaders();
    const wantsInitial = isTrue(query.get('sendInitialEvents'));
    if (from === '0' || wantsInitial) this.#sendInitial(watcher, selection, wantsInitial);
    else if (!this.#replay(watcher, Number(from))) return;
    if (wantsBookmarks && !wantsInitial) this.#bookmark(watcher);
    this.#follow(watcher, timeoutSeconds);
  }

  /** Ends every watch. */
  close(): void {
    clearInterval(this.#bookmarks);
    for (const [watcher, stop] of this.#watchers) {
      stop();
      watcher.response.end();
    }
  }

  #sendInitial(watcher: Watcher, { type, namespace }: Selection, marksEnd: boolean): void {
    for (const object of this.#store.list(collectionOf(type), namespace)) {
      if (watcher.matches(object)) send(watcher, line(watcher, 'ADDED', object));
    }
    if (marksEnd) this.#bookmark(watcher, { 'k8s.io/initial-events-end': 'true' });
  }

  /** Returns false when the past is not known back to there; the client has then been told and the answer ended. */
  #replay(watcher: Watcher, revision: number): boolean {
    const events = this.#store.since(collectionOf(watcher.type), revision);
    if (!events) {
      const error = expired(`too old resource version: ${revision} (${this.#store.revision})`);
      watcher.response.end(`${JSON.stringify({ type: 'ERROR', object: error.toStatus() })}\n`);
      return false;
    }
    for (const event of events) this.#tell(watcher, event);
    return true;
  }

  #follow(watcher: Watcher, timeoutSeconds: number): void {
    const { response } = watcher;
    const unsubscribe = this.#store.subscribe(collectionOf(watcher.type), (event) =>
      this.#tell(watcher, event),
    );
    const timeout = timeoutSeconds > 0 ? setTimeout(() => response.end(), timeoutSeconds * 1000) : undefined;
    const stop = () => {
      unsubscribe();
      clearTimeout(timeout);
      this.#watchers.delete(watcher);
    };
    this.#watchers.set(watcher, stop);
    response.on('close', stop);
  }

  /** What an event is to this watcher: an object may begin or cease to match without being made or deleted. */
  #tell(watcher: Watcher, event: StoreEvent): void {
    const matched = event.previous !== undefined && watcher.matches(event.previous);
    const matches = event.type !== 'DELETED' && watcher.matches(event.object);
    if (matches) send(watcher, this.#serialize(watcher, event, matched ? 'MODIFIED' : 'ADDED'));
    else if (matched) send(watcher, this.#serialize(watcher, event, 'DELETED'));
  }

  #serialize(watcher: Watcher, event: StoreEvent, type: StoreEvent['type']): Buffer {
    const form = `${type} ${watcher.type.version} ${watcher.representation.name}`;
    let forms = this.#serialized.get(event);
    if (!forms) {
      forms = new Map();
      this.#serialized.set(event, forms);
    }
    let bytes = forms.get(form);
    if (!bytes) {
      bytes = line(watcher, type, event.object);
      forms.set(form, bytes);
    }
    return bytes;
  }

  #bookmark(watcher: Watcher, annotations?: { [key: string]: string }): void {
    const object: KubeObject = {
      kind: watcher.type.kind,
      apiVersion: apiVersionOf(watcher.type),
      metadata: {
        name: '',
        resourceVersion: String(this.#store.revision),
        ...(annotations ? { annotations } : {}),
      },
    };
    send(watcher, Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`));
  }
}

function line({ type, representation }: Watcher, eventType: string, object: KubeObject): Buffer {
  const event: JsonObject = { type: eventType, object: representation.object(type, object) };
  return Buffer.from(`${JSON.stringify(event)}\n`);
}

function send({ response }: Watcher, bytes: Buffer): void {
  if (response.writableLength > maxWaitingBytes) response.destroy();
  else if (!response.writableEnded && !response.destroyed) response.write(bytes);
}

/** Kubernetes takes any of its spellings of true; an empty value counts too. */
export function isTrue(value: string | null): boolean {
  return value !== null && !['false', '0', 'f', 'F', 'False', 'FALSE'].includes(value);
}
