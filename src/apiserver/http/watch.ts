// Watches: one JSON event per line, for as long as the client listens. An event is serialized once for all watchers that
// want it in the same form. What there was when a watch began is sent as fast as the client takes it; a watcher that does not
// keep up with what happens afterwards is cut off and has to resume.
import type { ServerResponse } from 'node:http';
import { timerMs } from '../../process/index.ts';
import type { JsonObject, KubeObject } from '../json.ts';
import { apiVersionOf, collectionOf, type ResourceType } from '../kinds/resource-type.ts';
import { expired } from '../status-error.ts';
import type { Store, StoreEvent } from '../store/store.ts';
import { isTrue } from './is-true.ts';
import { type Selection, selectorOf } from './list.ts';
import { integerIn } from './list-options.ts';
import type { Representation } from './representation.ts';
import { revisionIn } from './revision.ts';

/** What may wait for a slow client before it is cut off. */
const maxWaitingBytes = 8 * 1024 * 1024;
const maxWaitingEvents = 10_000;
/** Clients expect a bookmark about once a minute. */
const bookmarkIntervalMs = 50_000;

interface Watcher {
  readonly type: ResourceType;
  readonly representation: Representation;
  readonly response: ServerResponse;
  readonly matches: (object: KubeObject) => boolean;
  readonly wantsBookmarks: boolean;
  /** What happens while the client still reads of the past; undefined once it is up to date. */
  waiting: StoreEvent[] | undefined;
}

export class Watches {
  readonly #store: Store;
  readonly #watchers = new Map<Watcher, () => void>();
  readonly #serialized = new WeakMap<StoreEvent, Map<string, Buffer>>();
  readonly #bookmarks: NodeJS.Timeout;

  constructor(store: Store) {
    this.#store = store;
    this.#bookmarks = setInterval(() => {
      for (const watcher of this.#watchers.keys()) {
        if (watcher.wantsBookmarks && !watcher.waiting) this.#bookmark(watcher, this.#store.revision);
      }
    }, bookmarkIntervalMs);
    this.#bookmarks.unref();
  }

  /** Answers a watch request and keeps it served until either side ends it. @throws StatusError 400, 500, before anything is sent */
  open(
    selection: Selection,
    query: URLSearchParams,
    representation: Representation,
    response: ServerResponse,
  ): void {
    const { type } = selection;
    const matches = selectorOf(selection, query);
    const wantsBookmarks = isTrue(query.get('allowWatchBookmarks'));
    const watcher: Watcher = { type, representation, response, matches, wantsBookmarks, waiting: [] };
    const wantsInitial = isTrue(query.get('sendInitialEvents'));
    const named = revisionIn(query);
    // Who says not to want what there is, and from when, wants what comes.
    const from = named === 0 && query.has('sendInitialEvents') ? this.#store.revision : named;
    const timeoutSeconds = integerIn(query, 'timeoutSeconds');

    response.writeHead(200, {
      'Content-Type': representation.contentType,
      'Cache-Control': 'no-cache, private',
    });
    response.flushHeaders();
    const isFromStart = from === 0 || wantsInitial;
    const past = isFromStart ? [] : this.#store.since(collectionOf(type), from);
    if (!past) {
      const error = expired(`too old resource version: ${from} (${this.#store.revision})`);
      response.end(`${JSON.stringify({ type: 'ERROR', object: error.toStatus() })}\n`);
      return;
    }
    this.#follow(watcher, timeoutSeconds);
    this.#catchUp(watcher, isFromStart ? selection : undefined, past, wantsInitial).catch(() => {
      // What cannot be shown ends this watch, as a failing request would, and not the server.
      response.destroy();
    });
  }

  /** Ends every watch. */
  close(): void {
    clearInterval(this.#bookmarks);
    for (const [watcher, stop] of this.#watchers) {
      stop();
      watcher.response.end();
    }
  }

  /** Tells of what there is, or of what has happened since, no faster than the client reads; what happens meanwhile comes after it. */
  async #catchUp(
    watcher: Watcher,
    selection: Selection | undefined,
    past: readonly StoreEvent[],
    marksEnd: boolean,
  ): Promise<void> {
    const { response, wantsBookmarks } = watcher;
    const { revision } = this.#store;
    const taken = async (bytes: Buffer | undefined): Promise<boolean> => {
      const isOpen = () => !response.destroyed && !response.writableEnded;
      if (bytes && isOpen() && !response.write(bytes)) await drained(response);
      return isOpen();
    };
    const present = selection ? this.#store.list(collectionOf(selection.type), selection.namespace) : [];
    for (const object of present) {
      if (watcher.matches(object) && !(await taken(line(watcher, 'ADDED', object)))) return;
    }
    for (const event of past) if (!(await taken(this.#eventFor(watcher, event)))) return;
    if (marksEnd) this.#bookmark(watcher, revision, { 'k8s.io/initial-events-end': 'true' });
    else if (wantsBookmarks) this.#bookmark(watcher, revision);
    for (let event = watcher.waiting?.shift(); event; event = watcher.waiting?.shift())
      if (!(await taken(this.#eventFor(watcher, event)))) return;
    watcher.waiting = undefined;
  }

  #follow(watcher: Watcher, timeoutSeconds: number): void {
    const { response } = watcher;
    const unsubscribe = this.#store.subscribe(collectionOf(watcher.type), (event) =>
      this.#tell(watcher, event),
    );
    const timeoutMs = timerMs(timeoutSeconds * 1000);
    const timeout = timeoutMs > 0 ? setTimeout(() => response.end(), timeoutMs) : undefined;
    const stop = () => {
      unsubscribe();
      clearTimeout(timeout);
      this.#watchers.delete(watcher);
    };
    this.#watchers.set(watcher, stop);
    response.on('close', stop);
  }

  #tell(watcher: Watcher, event: StoreEvent): void {
    if (!watcher.waiting) {
      const bytes = this.#eventFor(watcher, event);
      if (bytes) send(watcher, bytes);
    } else if (watcher.waiting.push(event) > maxWaitingEvents) watcher.response.destroy();
  }

  /** What an event is to this watcher: an object may begin or cease to match without being made or deleted. */
  #eventFor(watcher: Watcher, event: StoreEvent): Buffer | undefined {
    const matched = event.previous !== undefined && watcher.matches(event.previous);
    const matches = event.type !== 'DELETED' && watcher.matches(event.object);
    if (matches) return this.#serialize(watcher, event, matched ? 'MODIFIED' : 'ADDED', event.object);
    return matched ? this.#serialize(watcher, event, 'DELETED', lastMatching(event)) : undefined;
  }

  #serialize(watcher: Watcher, event: StoreEvent, type: StoreEvent['type'], object: KubeObject): Buffer {
    const form = `${type} ${watcher.type.version} ${watcher.representation.name}`;
    let forms = this.#serialized.get(event);
    if (!forms) {
      forms = new Map();
      this.#serialized.set(event, forms);
    }
    let bytes = forms.get(form);
    if (!bytes) {
      bytes = line(watcher, type, object);
      forms.set(form, bytes);
    }
    return bytes;
  }

  #bookmark(watcher: Watcher, revision: number, annotations?: { [key: string]: string }): void {
    const object: KubeObject = {
      kind: watcher.type.kind,
      apiVersion: apiVersionOf(watcher.type),
      metadata: {
        name: '',
        resourceVersion: String(revision),
        ...(annotations ? { annotations } : {}),
      },
    };
    send(watcher, Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`));
  }
}

/** What is shown of an object that is gone for a watcher: as it last matched, at the revision of what took it away. */
function lastMatching({ object, previous = object, revision }: StoreEvent): KubeObject {
  return { ...previous, metadata: { ...previous.metadata, resourceVersion: String(revision) } };
}

function line({ type, representation }: Watcher, eventType: string, object: KubeObject): Buffer {
  const event: JsonObject = { type: eventType, object: representation.object(type, object) };
  return Buffer.from(`${JSON.stringify(event)}\n`);
}

function send({ response }: Watcher, bytes: Buffer): void {
  if (response.writableLength > maxWaitingBytes) response.destroy();
  else if (!response.writableEnded && !response.destroyed) response.write(bytes);
}

/** Resolves when the client has taken what was written, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
