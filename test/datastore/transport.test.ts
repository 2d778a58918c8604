// Requests to an API server: what is sent, what is repeated, and what becomes of its refusals.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  InvalidResourceError,
  KubernetesDatastore,
  NotFoundError,
  UnavailableError,
} from '../../src/datastore/index.ts';
import { type IPPool, ipPools, pods } from '../../src/resources/index.ts';
import { accessTo } from './access.ts';
import { type Answer, poolAt, ScriptedServer, status } from './scripted-server.ts';

const pool: IPPool = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'IPPool',
  metadata: { name: 'a', resourceVersion: '1' },
  spec: { cidr: '10.0.0.0/16' },
};

const found: Answer = (response) => response.end(JSON.stringify(poolAt('a', 1)));
const cutOff: Answer = (response) => response.destroy();

async function ask<R>(script: Answer[], act: (store: KubernetesDatastore) => Promise<R>) {
  await using server = await ScriptedServer.start(...script);
  const store = new KubernetesDatastore(accessTo(server.url), { retryForMs: 5_000 });
  try {
    const result = await act(store).catch((error: unknown) => error);
    return { result, requests: server.requests };
  } finally {
    await store.close();
  }
}

test('objects are addressed as the Kubernetes API lays them out, with the token', async () => {
  const { requests } = await ask([status(404), status(404), status(404)], async (store) => {
    await store.get(pods, { namespace: 'n', name: 'p' }).catch(() => {
      // The script has no pod; only the request matters here.
    });
    await store.updateStatus(ipPools, pool);
  });
  assert.deepEqual(
    requests.map(({ method, path, authorization }) => [method, path, authorization]),
    [
      ['GET', '/api/v1/namespaces/n/pods/p', 'Bearer secret'],
      ['PUT', '/apis/projectcalico.org/v3/ippools/a/status', 'Bearer secret'],
    ],
  );
});

for (const [code, reason, type] of [
  [403, 'Forbidden', ForbiddenError],
  [404, 'NotFound', NotFoundError],
  [409, 'AlreadyExists', AlreadyExistsError],
  [409, 'Conflict', ConflictError],
  [422, 'Invalid', InvalidResourceError],
  [500, 'InternalError', UnavailableError],
] as const) {
  test(`an answer of ${code} ${reason} is a ${type.name} that says what was attempted`, async () => {
    const { result } = await ask([status(code, {}, reason)], (store) => store.create(ipPools, pool));
    assert.ok(result instanceof type, String(result));
    assert.equal(result.message, `Cannot create IPPool "a": scripted ${code}`);
  });
}

test('a read is repeated when its answer is lost', async () => {
  const { result, requests } = await ask([cutOff, status(500), found], (store) =>
    store.get(ipPools, { name: 'a' }),
  );
  assert.equal((result as IPPool).metadata.name, 'a');
  assert.equal(requests.length, 3);
});

test('a write whose answer is lost is not repeated', async () => {
  const { result, requests } = await ask([cutOff, found], (store) => store.update(ipPools, pool));
  assert.ok(result instanceof UnavailableError);
  assert.equal(requests.length, 1);
});

test('a write that was turned away is repeated when the server said to', async () => {
  const { result, requests } = await ask([status(429, { 'retry-after': '0' }), found], (store) =>
    store.update(ipPools, pool),
  );
  assert.equal((result as IPPool).metadata.name, 'a');
  assert.equal(requests.length, 2);
});

test('a write is repeated until there is somebody to connect to, and then given up', async () => {
  const placeholder = createServer().listen(0, '127.0.0.1');
  await once(placeholder, 'listening');
  const { port } = placeholder.address() as AddressInfo;
  placeholder.close();
  const store = new KubernetesDatastore(accessTo(`http://127.0.0.1:${port}`), { retryForMs: 200 });
  await assert.rejects(store.create(ipPools, pool), (error: Error) => {
    assert.ok(error instanceof UnavailableError);
    assert.match(error.message, /Cannot create IPPool "a": http:.* does not answer \(ECONNREFUSED\)/);
    return true;
  });
  await store.close();
});

test('a token that was refused is fetched anew once', async () => {
  await using server = await ScriptedServer.start(status(401), found);
  const tokens = ['old', 'new'];
  const credential = {
    header: async () => `Bearer ${tokens[0]}`,
    refused: () => {
      tokens.shift();
    },
  };
  const store = new KubernetesDatastore({ ...accessTo(server.url), credential });
  await store.get(ipPools, { name: 'a' });
  await store.close();
  assert.deepEqual(
    server.requests.map(({ authorization }) => authorization),
    ['Bearer old', 'Bearer new'],
  );
});

test('an answer that never comes is given up in time', async () => {
  await using server = await ScriptedServer.start();
  const store = new KubernetesDatastore(accessTo(server.url), { requestTimeoutMs: 100, retryForMs: 0 });
  await assert.rejects(store.get(ipPools, { name: 'a' }), UnavailableError);
  await store.close();
});
