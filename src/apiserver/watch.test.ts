import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import type { AnswerBody } from './answer.ts';
import { type ApiServer, startApiServer } from './index.ts';

interface WatchEvent {
  readonly type: string;
  readonly object: AnswerBody;
}

let server: ApiServer;
before(async () => {
  server = await startApiServer({ database: ':memory:' });
});
after(() => server.close());

const configMaps = '/api/v1/namespaces/default/configmaps';

async function write(method: string, path: string, body?: object): Promise<WatchEvent['object']> {
  const response = await fetch(server.url + path, {
    method,
    ...(body
      ? {
          body: JSON.stringify(body),
          headers: {
            'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          },
        }
      : {}),
  });
  return (await response.json()) as AnswerBody;
}

/** The events of a watch, one at a time; ends with the watch. */
async function* watch(query: string, signal: AbortSignal): AsyncGenerator<WatchEvent, undefined> {
  const request = get(`${server.url}${configMaps}?watch=1&${query}`, { signal });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => {
    // The abort that ends each test's watch; nobody waits for more.
  });
  for await (const line of createInterface({ input: response })) yield JSON.parse(line) as WatchEvent;
  return undefined;
}

async function nextOf(events: AsyncGenerator<WatchEvent, undefined>): Promise<WatchEvent> {
  const { value } = await events.next();
  assert.ok(value, 'the watch ended');
  return value;
}

async function withWatch(
  query: string,
  use: (events: AsyncGenerator<WatchEvent, undefined>) => Promise<void>,
) {
  const abort = new AbortController();
  const deadline = AbortSignal.timeout(60_000);
  try {
    await use(watch(query, AbortSignal.any([abort.signal, deadline])));
  } finally {
    abort.abort();
  }
}

async function revision(): Promise<string> {
  return (await write('GET', configMaps)).metadata.resourceVersion;
}

test('a watch from a revision tells of everything since, in order', async () => {
  const from = await revision();
  await write('POST', configMaps, { metadata: { name: 'seen' } });
  await withWatch(`resourceVersion=${from}`, async (events) => {
    assert.equal((await nextOf(events)).type, 'ADDED');
    await write('PATCH', `${configMaps}/seen`, { data: { a: '1' } });
    assert.equal((await nextOf(events)).type, 'MODIFIED');
    await write('DELETE', `${configMaps}/seen`);
    const last = await nextOf(events);
    assert.equal(last.type, 'DELETED');
    assert.ok(Number(last.object.metadata.resourceVersion) > Number(from) + 2);
  });
});

test('an object that stops matching the selector is told as deleted, one that begins to as added', async () => {
  await write('POST', configMaps, { metadata: { name: 'changing', labels: { on: 'yes' } } });
  const from = await revision();
  await withWatch(`resourceVersion=${from}&labelSelector=on%3Dyes`, async (events) => {
    await write('PATCH', `${configMaps}/changing`, { metadata: { labels: { on: 'no' } } });
    await write('PATCH', `${configMaps}/changing`, { metadata: { labels: { on: 'yes' } } });
    assert.deepEqual([(await nextOf(events)).type, (await nextOf(events)).type], ['DELETED', 'ADDED']);
  });
});

test('a bookmark with the present revision comes soon when asked for', async () => {
  const from = await revision();
  await withWatch(`resourceVersion=${from}&allowWatchBookmarks=true`, async (events) => {
    const { type, object } = await nextOf(events);
    assert.equal(type, 'BOOKMARK');
    assert.equal(object.metadata.resourceVersion, from);
  });
});

test('initial events end with a marked bookmark', async () => {
  await write('POST', configMaps, { metadata: { name: 'initial', labels: { initial: 'yes' } } });
  const query =
    'labelSelector=initial&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
  await withWatch(query, async (events) => {
    assert.equal((await nextOf(events)).object.metadata.name, 'initial');
    const { object } = await nextOf(events);
    assert.equal(object.metadata.annotations['k8s.io/initial-events-end'], 'true');
  });
});

test('a revision that is not known is answered with an ERROR event of code 410', async () => {
  await withWatch('resourceVersion=999999', async (events) => {
    const { type, object } = await nextOf(events);
    assert.equal(type, 'ERROR');
    assert.equal(object.code, 410);
    assert.equal((await events.next()).done, true);
  });
});

test('an object that a selector no longer takes is told of as deleted, as it was when it was taken last', async () => {
  const from = await revision();
  const moving = (team: string) => ({ metadata: { name: 'moving', labels: { team } } });
  await write('POST', configMaps, moving('red'));
  const moved = await write('PATCH', `${configMaps}/moving`, moving('blue'));
  await withWatch(`resourceVersion=${from}&labelSelector=team%3Dred`, async (events) => {
    assert.equal((await nextOf(events)).type, 'ADDED');
    const { type, object } = await nextOf(events);
    assert.equal(type, 'DELETED');
    assert.deepEqual(object.metadata.labels, { team: 'red' });
    assert.equal(object.metadata.resourceVersion, moved.metadata.resourceVersion);
  });
});

test('a watch that wants no initial events and names no revision tells of what comes', async () => {
  await write('POST', configMaps, { metadata: { name: 'there-already' } });
  await withWatch(
    'sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1',
    async (events) => {
      assert.equal((await nextOf(events)).type, 'BOOKMARK');
      await write('POST', configMaps, { metadata: { name: 'comes' } });
      const { type, object } = await nextOf(events);
      assert.deepEqual([type, object.metadata.name], ['ADDED', 'comes']);
    },
  );
});

test('timeoutSeconds ends a watch', async () => {
  await withWatch(`resourceVersion=${await revision()}&timeoutSeconds=1`, async (events) => {
    assert.equal((await events.next()).done, true);
  });
});

test('a deleted namespace is terminating, then empty, then gone', async () => {
  await write('POST', '/api/v1/namespaces', { metadata: { name: 'ending' } });
  const held = { metadata: { name: 'held', finalizers: ['example.com/hold'] } };
  await write('POST', '/api/v1/namespaces/ending/configmaps', held);
  const marked = await write('DELETE', '/api/v1/namespaces/ending');
  assert.equal(marked.status.phase, 'Terminating');
  const refused = await write('POST', '/api/v1/namespaces/ending/configmaps', { metadata: { name: 'late' } });
  assert.equal(refused.code, 403);
  const { resourceVersion } = marked.metadata;
  const abort = AbortSignal.timeout(60_000);
  const url = `${server.url}/api/v1/namespaces?watch=1&resourceVersion=${resourceVersion}&fieldSelector=metadata.name%3Dending`;
  const response = await fetch(url, { signal: abort });
  await write('PATCH', '/api/v1/namespaces/ending/configmaps/held', { metadata: { finalizers: null } });
  for await (const chunk of response.body ?? []) {
    if (Buffer.from(chunk).toString().includes('"DELETED"')) break;
  }
  assert.equal((await write('GET', '/api/v1/namespaces/ending')).code, 404);
});

test('closing the server ends its watches', async () => {
  const other = await startApiServer({ database: ':memory:' });
  const response = await fetch(`${other.url}/api/v1/pods?watch=1&resourceVersion=0`);
  await other.close();
  await assert.doesNotReject(response.text());
});

test('a watch begins with more than its client could be sent at once, and misses nothing that happens meanwhile', async () => {
  const text = 'x'.repeat(500_000);
  const label = { metadata: { labels: { size: 'big' } } };
  for (let n = 0; n < 30; n++)
    await write('POST', configMaps, { metadata: { name: `big-${n}`, ...label.metadata }, data: { text } });
  await withWatch('labelSelector=size%3Dbig&allowWatchBookmarks=true', async (events) => {
    assert.equal((await nextOf(events)).type, 'ADDED');
    await write('PATCH', `${configMaps}/big-29`, { data: { later: 'yes' } });
    const types: string[] = [];
    for (let event = await nextOf(events); ; event = await nextOf(events)) {
      types.push(event.type);
      if ((event.object as { data?: { later?: string } }).data?.later === 'yes') break;
    }
    assert.equal(types.filter((type) => type === 'ADDED').length, 29);
    assert.equal(types.at(-1), 'MODIFIED');
  });
});

test('a removal that changes labels as well is told to whoever selected what was', async () => {
  const path = `${configMaps}/kept`;
  await write('POST', configMaps, {
    metadata: { name: 'kept', labels: { kept: 'yes' }, finalizers: ['example.com/keep'] },
  });
  await write('DELETE', path);
  await withWatch('labelSelector=kept%3Dyes', async (events) => {
    assert.equal((await nextOf(events)).type, 'ADDED');
    await write('PATCH', path, { metadata: { labels: { kept: 'no' }, finalizers: null } });
    assert.equal((await nextOf(events)).type, 'DELETED');
  });
});

test('a watch for longer than timers can count does not end at once', async () => {
  await withWatch('timeoutSeconds=4000000&labelSelector=none', async (events) => {
    const first = events.next();
    await write('POST', configMaps, { metadata: { name: 'late', labels: { none: 'x' } } });
    assert.equal((await first).value?.type, 'ADDED');
  });
});
