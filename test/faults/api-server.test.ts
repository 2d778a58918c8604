// An API server's bad days, played back to a follower: it backs off, comes back, and believes what it is then told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubernetesDatastore, staticCredential } from '../../src/datastore/index.ts';
import { ipPools } from '../../src/resources/index.ts';
import { type Answer, list, poolAt, ScriptedServer, status, watch } from '../datastore/scripted-server.ts';

/** Follows pools of a server with this script until `enough` was told; returns what was told, in order. */
async function toldBy(script: Answer[], enough: number): Promise<string[]> {
  await using server = await ScriptedServer.start(...script);
  const datastore = new KubernetesDatastore(
    { server: server.url, tls: {}, credential: staticCredential('Bearer t'), namespace: 'default' },
    { backoff: { firstMs: 1, maxMs: 5 }, requestTimeoutMs: 10_000, retryForMs: 50 },
  );
  const told: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const deadline = setTimeout(() => reject(new Error(`Only told: ${told.join(', ')}`)), 60_000);
  const tell = (what: string) => {
    told.push(what);
    if (told.length === enough) resolve();
  };
  datastore.follow(ipPools, {
    onUpsert: ({ metadata }) => tell(`+${metadata.name}`),
    onDelete: ({ name }) => tell(`-${name}`),
    onInSync: () => tell('in sync'),
  });
  try {
    await promise;
    return told;
  } finally {
    clearTimeout(deadline);
    await datastore.close();
  }
}

const full = list(5, [poolAt('a', 3), poolAt('b', 4)]);
const half: Answer = (response) => response.end('{"metadata":{"resourceVersion":"9"},"items":[{"meta');
const expired = status(410, {}, 'Expired');

test('an agent keeps what it was told while its server fails in every way, and goes on where that ends', async () => {
  const told = await toldBy(
    [
      full,
      watch([], 'break'),
      status(500),
      status(429, { 'retry-after': '0' }),
      expired,
      half,
      status(503),
      // Of the two that are known one has changed, and a third has come meanwhile.
      list(20, [poolAt('a', 3), poolAt('b', 19), poolAt('c', 20)]),
      watch([], 'stay'),
    ],
    5,
  );
  assert.deepEqual(told, ['+a', '+b', 'in sync', '+b', '+c']);
});

test('a server that comes back empty is believed: what its list lacks was deleted', async () => {
  const told = await toldBy([full, watch([], 'break'), expired, list(1, []), watch([], 'stay')], 5);
  assert.deepEqual(told.slice(0, 3), ['+a', '+b', 'in sync']);
  assert.deepEqual(told.slice(3).sort(), ['-a', '-b']);
});

test('an answer that is cut off is no list: nothing is taken for deleted', async () => {
  const told = await toldBy(
    [
      full,
      watch([], 'break'),
      expired,
      half,
      half,
      list(6, [poolAt('a', 3), poolAt('b', 6)]),
      watch([], 'stay'),
    ],
    4,
  );
  assert.deepEqual(told, ['+a', '+b', 'in sync', '+b']);
});
