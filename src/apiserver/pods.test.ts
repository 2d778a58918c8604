import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AnswerBody } from './answer.ts';
import { type ApiServer, startApiServer } from './index.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer({ database: ':memory:' });
});
after(() => server.close());

const pods = '/api/v1/namespaces/default/pods';

async function send(method: string, path: string, body: object, contentType = 'application/json') {
  const headers = { 'content-type': contentType };
  const response = await fetch(server.url + path, { method, headers, body: JSON.stringify(body) });
  return { code: response.status, ...((await response.json()) as Omit<AnswerBody, 'code'>) };
}

function make(name: string, spec: object = {}) {
  return send('POST', pods, {
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'x:1' }], ...spec },
  });
}

function bind(name: string, metadata: object = {}) {
  return send('POST', `${pods}/${name}/binding`, { metadata: { name, ...metadata }, target: { name: 'n1' } });
}

function change(name: string, spec: object) {
  return send('PATCH', `${pods}/${name}`, { spec }, 'application/merge-patch+json');
}

test('a binding gives a pod its node, once', async () => {
  await make('bound');
  assert.equal((await bind('bound', { annotations: { by: 'me' } })).code, 201);
  const pod = (await (await fetch(`${server.url}${pods}/bound`)).json()) as AnswerBody;
  assert.equal(pod.spec.nodeName, 'n1');
  assert.deepEqual(pod.metadata.annotations, { by: 'me' });
  assert.deepEqual(
    pod.status.conditions.map(({ type, status }) => [type, status]),
    [['PodScheduled', 'True']],
  );
  const again = await bind('bound');
  assert.equal(again.code, 409);
  assert.match(again.message, /pod bound is already assigned to node "n1"/);
});

test('a binding of another pod of that name, of one that waits, and of none is refused', async () => {
  await make('other');
  assert.equal((await bind('other', { uid: 'another' })).code, 409);
  await make('waits', { schedulingGates: [{ name: 'a.b/c' }] });
  assert.match((await bind('waits')).message, /has non-empty \.spec\.schedulingGates/);
  assert.equal((await bind('none')).code, 404);
});

test('of a pod only its images, its deadline and what else it tolerates may change', async () => {
  await make('made', { tolerations: [{ key: 'a', operator: 'Exists' }] });
  const tolerations = [
    { key: 'b', operator: 'Exists' },
    { key: 'a', operator: 'Exists', tolerationSeconds: 3 },
  ];
  assert.equal((await change('made', { tolerations, activeDeadlineSeconds: 9 })).code, 200);
  assert.equal((await change('made', { tolerations: [] })).code, 422);
  assert.equal((await change('made', { activeDeadlineSeconds: 10 })).code, 422);
  const containers = [{ name: 'main', image: 'x:2' }];
  assert.equal((await change('made', { containers })).spec.containers[0]?.image, 'x:2');
  const pulled = await change('made', { containers: [{ ...containers[0], imagePullPolicy: 'Never' }] });
  assert.equal(pulled.code, 422);
  const moved = await change('made', { nodeName: 'n2' });
  assert.equal(moved.code, 422);
  assert.match(
    moved.message,
    /^Pod "made" is invalid: spec: Forbidden: pod updates may not change fields other than/,
  );
  assert.match(moved.message, /\n\+ spec\.nodeName: "n2"$/);
});
