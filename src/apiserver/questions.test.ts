import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AnswerBody } from './answer.ts';
import { type ApiServer, startApiServer } from './index.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer({ database: ':memory:' });
});
after(() => server.close());

async function ask(method: string, path: string, body?: object) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(server.url + path, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { code: response.status, text, body: () => JSON.parse(text) as AnswerBody };
}

const authorization = '/apis/authorization.k8s.io/v1';

test('who asks what it may is told that it may everything, and nothing of it is kept', async () => {
  const path = `${authorization}/selfsubjectaccessreviews`;
  const spec = { resourceAttributes: { verb: 'create', resource: 'pods' } };
  assert.equal((await ask('POST', path, { spec })).body().status.allowed, true);
  assert.equal((await ask('POST', path, { spec: {} })).code, 422);
  assert.equal((await ask('GET', path)).code, 405);
});

test('who asks who it is is told', async () => {
  const { body } = await ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {});
  assert.deepEqual(body().status.userInfo.groups, ['system:masters', 'system:authenticated']);
});

test('there are no quotas, and none can be made', async () => {
  const path = '/api/v1/namespaces/default/resourcequotas';
  assert.deepEqual((await ask('GET', path)).body().items, []);
  assert.equal((await ask('POST', path, { metadata: { name: 'one' } })).code, 405);
});

test('each check of health has an address', async () => {
  for (const path of ['/healthz', '/livez/ping', '/readyz/etcd', '/readyz/shutdown']) {
    assert.equal((await ask('GET', path)).text, 'ok', path);
  }
  for (const path of ['/livez/shutdown', '/readyz/nonsense', '/readyz/ping/more']) {
    assert.equal((await ask('GET', path)).code, 404, path);
  }
});

test('a watch may be asked for by its old address, of a collection and of one object', async () => {
  const path = '/api/v1/watch/namespaces/default';
  const { text } = await ask('GET', `${path}?timeoutSeconds=1`);
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; object: AnswerBody });
  assert.deepEqual(
    events.map(({ type, object }) => [type, object.metadata.name]),
    [['ADDED', 'default']],
  );
  assert.equal((await ask('POST', path, {})).code, 405);
});

test('a namespace waits for whoever else is to finish with it', async () => {
  const path = '/api/v1/namespaces/waiting';
  const waiting = { metadata: { name: 'waiting' }, spec: { finalizers: ['kubernetes', 'a.b/c'] } };
  await ask('POST', '/api/v1/namespaces', { metadata: { name: 'waiting' } });
  assert.deepEqual((await ask('PUT', `${path}/finalize`, waiting)).body().spec.finalizers, [
    'kubernetes',
    'a.b/c',
  ]);
  await ask('DELETE', path);
  const watch = `/api/v1/watch/namespaces/waiting?resourceVersion=1&timeoutSeconds=1`;
  assert.match((await ask('GET', watch)).text, /"spec":\{"finalizers":\["a\.b\/c"\]\}/);
  await ask('PUT', `${path}/finalize`, { metadata: { name: 'waiting' } });
  assert.equal((await ask('GET', path)).code, 404);
});
