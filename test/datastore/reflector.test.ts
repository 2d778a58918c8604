// The reflector on an API server's bad days, each played back by a scripted server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubernetesDatastore, type KubernetesDatastoreOptions } from '../../src/datastore/index.ts';
import { type IPPool, ipPools } from '../../src/resources/index.ts';
import { accessTo } from './access.ts';
import { Recorder } from './recorder.ts';
import { type Answer, list, poolAt, ScriptedServer, status, watch } from './scripted-server.ts';

/** Follows pools through a script until this event is heard; returns what was heard, asked and complained of. */
async function follow(script: Answer[], last: string, options: KubernetesDatastoreOptions = {}) {
  await using server = await ScriptedServer.start(...script);
  const troubles: string[] = [];
  const store = new KubernetesDatastore(accessTo(server.url), {
    backoff: { firstMs: 5, maxMs: 50 },
    retryForMs: 0,
    onTrouble: (message) => troubles.push(message),
    ...options,
  });
  const recorder = new Recorder<IPPool>();
  store.follow(ipPools, recorder);
  try {
    await recorder.until((events) => events.includes(last));
  } finally {
    await store.close();
  }
  return { events: recorder.events, requests: server.requests, troubles };
}

test('a watch that the server ends is resumed from the last revision, bookmarks included', async () => {
  const { events, requests } = await follow(
    [
      list(10, [poolAt('a', 3)]),
      watch([['ADDED', poolAt('b', 11)]], 'end'),
      watch([['BOOKMARK', { kind: 'IPPool', metadata: { resourceVersion: '20' } }]], 'end'),
      watch([['DELETED', poolAt('a', 21)]], 'stay'),
    ],
    '- a',
  );
  assert.deepEqual(events, ['+ a', 'in sync', '+ b', '- a']);
  assert.deepEqual(
    requests.map(({ query }) => query.get('resourceVersion')),
    [null, '10', '11', '20'],
  );
  assert.equal(requests[1]?.query.get('allowWatchBookmarks'), 'true');
  assert.ok(Number(requests[1]?.query.get('timeoutSeconds')) >= 300);
});

test('a watch cut off in half a document is resumed without loss', async () => {
  const { events, requests, troubles } = await follow(
    [
      list(10, []),
      watch([['ADDED', poolAt('a', 11)]], 'break', '{"type":"ADDED","obj'),
      watch([['ADDED', poolAt('b', 12)]], 'stay'),
    ],
    '+ b',
  );
  assert.deepEqual(events, ['in sync', '+ a', '+ b']);
  assert.equal(requests[2]?.query.get('resourceVersion'), '11');
  assert.deepEqual(troubles, ['Cannot watch IPPool objects: the stream broke off']);
});

for (const [how, answer] of [
  ['an ERROR event', watch([['ERROR', { kind: 'Status', code: 410, reason: 'Expired' }]], 'end')],
  ['a refused watch', status(410)],
] as const) {
  test(`a revision that has expired (${how}) leads to a new list, told as differences`, async () => {
    const { events } = await follow(
      [
        list(10, [poolAt('same', 1), poolAt('changed', 2), poolAt('gone', 3)]),
        answer,
        list(30, [poolAt('same', 1), poolAt('changed', 25), poolAt('new', 26)]),
        watch([['ADDED', poolAt('last', 31)]], 'stay'),
      ],
      '+ last',
    );
    assert.deepEqual(events, [
      '+ same',
      '+ changed',
      '+ gone',
      'in sync',
      '+ changed',
      '+ new',
      '- gone',
      '+ last',
    ]);
  });
}

test('a server that fails at first is asked again until it answers', async () => {
  const { events, troubles } = await follow(
    [status(500), (response) => response.destroy(), list(10, [poolAt('a', 1)]), watch([], 'stay')],
    'in sync',
  );
  assert.deepEqual(events, ['+ a', 'in sync']);
  assert.equal(troubles.length, 2);
  assert.match(troubles[0] ?? '', /Cannot list IPPool objects: scripted 500/);
});

test('a server that asks for patience gets it', async () => {
  const started = performance.now();
  const { events } = await follow(
    [list(10, []), status(429, { 'retry-after': '1' }), watch([['ADDED', poolAt('a', 11)]], 'stay')],
    '+ a',
  );
  assert.deepEqual(events, ['in sync', '+ a']);
  assert.ok(performance.now() - started >= 1000);
});

test('a watch that falls silent is given up and resumed', async () => {
  const { events, requests, troubles } = await follow(
    [list(10, []), watch([['ADDED', poolAt('a', 11)]], 'stay'), watch([['ADDED', poolAt('b', 12)]], 'stay')],
    '+ b',
    { silenceMs: 1000 },
  );
  assert.deepEqual(events, ['in sync', '+ a', '+ b']);
  assert.equal(requests[2]?.query.get('resourceVersion'), '11');
  assert.match(troubles[0] ?? '', /nothing was heard for 1000 ms/);
});

test('a list is read in pages, and from the beginning when its token has expired', async () => {
  const { events, requests } = await follow(
    [
      list(10, [poolAt('a', 1)], 'token'),
      status(410),
      list(12, [poolAt('a', 1), poolAt('b', 2)]),
      watch([], 'stay'),
    ],
    'in sync',
  );
  assert.deepEqual(events, ['+ a', '+ b', 'in sync']);
  assert.deepEqual(
    requests.slice(0, 3).map(({ query }) => [query.get('limit'), query.get('continue')]),
    [
      ['500', null],
      ['500', 'token'],
      [null, null],
    ],
  );
});

test('what manages which field is not kept', async () => {
  await using server = await ScriptedServer.start(list(10, [poolAt('a', 1)]));
  const store = new KubernetesDatastore(accessTo(server.url));
  const [pool] = await store.list(ipPools);
  await store.close();
  assert.deepEqual(Object.keys(pool?.metadata ?? {}).sort(), ['name', 'resourceVersion', 'uid']);
});

/** Discovery of a group that has these kinds. */
const group = (...plurals: string[]): Answer => {
  const resources = plurals.map((name) => ({ name }));
  return (response) => response.end(JSON.stringify({ kind: 'APIResourceList', resources }));
};
const groups: Answer = (response) => response.end(JSON.stringify({ kind: 'APIGroupList', groups: [] }));

test('a kind that the cluster does not have is as good as empty, told once, and followed when it appears', async () => {
  const { events, requests, troubles } = await follow(
    [
      status(404),
      group('tiers'),
      status(404),
      status(404),
      groups,
      list(30, [poolAt('a', 29)]),
      watch([], 'stay'),
    ],
    '+ a',
  );
  assert.deepEqual(events, ['in sync', '+ a']);
  assert.deepEqual(
    requests.slice(0, 6).map(({ path }) => path.replace('/apis/projectcalico.org/v3', '...')),
    ['.../ippools', '...', '.../ippools', '...', '/apis', '.../ippools'],
  );
  assert.deepEqual(troubles, [
    'The cluster has no ippools.projectcalico.org: going on without, and asking again from time to time',
  ]);
});

test('a kind whose definition is deleted takes its objects with it', async () => {
  const { events } = await follow(
    [list(10, [poolAt('a', 3)]), watch([], 'end'), status(404), status(404), group('tiers')],
    '- a',
  );
  assert.deepEqual(events, ['+ a', 'in sync', '- a']);
});

test('"not found" is not believed of a kind that the cluster has, nor of a server that finds nothing at all', async () => {
  const { events } = await follow(
    [
      list(10, [poolAt('a', 3)]),
      watch([], 'end'),
      status(404),
      status(404),
      group('ippools'),
      status(404),
      status(404),
      status(404),
      list(20, [poolAt('a', 3), poolAt('b', 12)]),
      watch([], 'stay'),
    ],
    '+ b',
  );
  assert.deepEqual(events, ['+ a', 'in sync', '+ b']);
});

for (const answer of ['{}', 'null', '[]', '{"metadata":{}}', '{"metadata":{"resourceVersion":"9"}}']) {
  test(`an answer that is no list (${answer}) is not taken for one that lacks everything`, async () => {
    const { events, troubles } = await follow(
      [
        list(10, [poolAt('a', 3)]),
        status(410),
        (response) => response.end(answer),
        list(20, [poolAt('a', 3), poolAt('b', 12)]),
        watch([], 'stay'),
      ],
      '+ b',
    );
    assert.deepEqual(events, ['+ a', 'in sync', '+ b']);
    assert.match(troubles[1] ?? '', /the answer is no list/);
  });
}

test('a follower hears when it falls behind, and when it is in step again', async () => {
  await using server = await ScriptedServer.start(
    list(10, [poolAt('a', 3)]),
    watch([], 'break'),
    status(410),
    list(20, [poolAt('a', 3), poolAt('b', 12)]),
    watch([['ADDED', poolAt('c', 21)]], 'stay'),
  );
  const store = new KubernetesDatastore(accessTo(server.url), {
    backoff: { firstMs: 5, maxMs: 50 },
    retryForMs: 0,
  });
  const recorder = new Recorder<IPPool>();
  const told = recorder.events;
  store.follow(ipPools, {
    onUpsert: (pool) => recorder.onUpsert(pool),
    onDelete: (key) => recorder.onDelete(key),
    onInSync: () => recorder.onInSync(),
    onProgress: (progress) => told.push(progress),
  });
  await recorder.until((events) => events.includes('+ c'));
  await store.close();
  assert.deepEqual(told, ['+ a', 'in sync', 'behind', 'catching up', '+ b', 'in step', '+ c']);
});
