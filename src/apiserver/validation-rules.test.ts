import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AnswerBody } from './answer.ts';
import { type ApiServer, startApiServer } from './index.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer({ database: ':memory:' });
  assert.equal((await call('POST', definitions, definition())).code, 201);
});
after(() => server.close());

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const scales = '/apis/example.com/v1/scales';
const scale = { apiVersion: 'example.com/v1', kind: 'Scale' };

async function call(method: string, path: string, body: object): Promise<{ code: number; body: AnswerBody }> {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const response = await fetch(server.url + path, {
    method,
    headers: { 'content-type': contentType },
    body: JSON.stringify(body),
  });
  return { code: response.status, body: (await response.json()) as AnswerBody };
}

function definition(rule = 'self.replicas <= self.max') {
  const count = { type: 'integer' };
  const observed = { rule: 'self.seen >= oldSelf.seen', message: 'must not go back' };
  return {
    metadata: { name: 'scales.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Cluster',
      names: { plural: 'scales', kind: 'Scale' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  properties: { replicas: { ...count, default: 1 }, max: count },
                  'x-kubernetes-validations': [{ rule, message: 'replicas must not exceed max' }],
                },
                status: {
                  type: 'object',
                  properties: { seen: count },
                  'x-kubernetes-validations': [observed],
                },
              },
            },
          },
        },
      ],
    },
  };
}

test('an object that breaks a rule is refused in the words of Kubernetes', async () => {
  const { code, body } = await call('POST', scales, {
    ...scale,
    metadata: { name: 'big' },
    spec: { replicas: 3, max: 2 },
  });
  assert.equal(code, 422);
  const fault = 'Invalid value: "object": replicas must not exceed max';
  assert.equal(body.message, `Scale.example.com "big" is invalid: spec: ${fault}`);
  assert.deepEqual(body.details.causes, [{ field: 'spec', reason: 'FieldValueInvalid', message: fault }]);
});

test('rules see the defaults', async () => {
  const { body } = await call('POST', scales, { ...scale, metadata: { name: 'none' }, spec: { max: 0 } });
  assert.match(body.message, /spec: Invalid value: "object": replicas must not exceed max$/);
});

test('rules are asked only of what has passed the schema, and that they were not asked is said', async () => {
  const { body } = await call('POST', scales, {
    ...scale,
    metadata: { name: 'x' },
    spec: { replicas: 'many', max: 0 },
  });
  assert.deepEqual(
    body.details.causes.map(({ field }) => field),
    ['spec.replicas', '<nil>'],
  );
  assert.match(body.message, /some validation rules were not checked because the object was invalid/);
});

test('an update and a status update are asked too, with the state before', async () => {
  await call('POST', scales, { ...scale, metadata: { name: 'one' }, spec: { max: 5 } });
  assert.equal((await call('PATCH', `${scales}/one`, { spec: { replicas: 5 } })).code, 200);
  assert.equal((await call('PATCH', `${scales}/one`, { spec: { replicas: 6 } })).code, 422);
  assert.equal((await call('PATCH', `${scales}/one/status`, { status: { seen: 2 } })).code, 200);
  const back = await call('PATCH', `${scales}/one/status`, { status: { seen: 1 } });
  assert.equal(
    back.body.message,
    'Scale.example.com "one" is invalid: status: Invalid value: "object": must not go back',
  );
});

test('a definition whose rule does not compile is refused with its place', async () => {
  const { code, body } = await call(
    'PATCH',
    `${definitions}/scales.example.com`,
    definition('self.replica > 0'),
  );
  assert.equal(code, 422);
  assert.deepEqual(
    body.details.causes.map(({ field }) => field),
    ['spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule'],
  );
  assert.match(body.message, /compilation failed: ERROR: <input>:1:6: No such key: replica$/);
});

test('a changed rule is the one that holds', async () => {
  await call('POST', scales, { ...scale, metadata: { name: 'two' }, spec: { max: 9 } });
  const strict = definition('self.replicas < self.max');
  assert.equal((await call('PATCH', `${definitions}/scales.example.com`, strict)).code, 200);
  assert.equal((await call('PATCH', `${scales}/two`, { spec: { replicas: 9 } })).code, 422);
  assert.equal((await call('PATCH', `${scales}/two`, { spec: { replicas: 8 } })).code, 200);
});
