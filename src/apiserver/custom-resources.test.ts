import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AnswerBody } from './answer.ts';
import { type ApiServer, startApiServer } from './index.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer({ database: ':memory:' });
  await call('POST', definitions, widgets);
});
after(() => server.close());
async function call(
  method: string,
  path: string,
  body?: object,
  accept = '',
): Promise<{ code: number; body: AnswerBody }> {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const response = await fetch(server.url + path, {
    method,
    headers: { ...(accept ? { accept } : {}), ...(body ? { 'content-type': contentType } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { code: response.status, body: (await response.json()) as AnswerBody };
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const path = '/apis/example.com/v1/widgets';

const widgets = {
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Cluster',
    names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        selectableFields: [{ jsonPath: '.spec.color' }],
        additionalPrinterColumns: [
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['color'],
                properties: {
                  color: { type: 'string', enum: ['blue', 'red'] },
                  size: { type: 'integer', minimum: 1, default: 3 },
                  cidr: { type: 'string', format: 'cidr' },
                  tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
                  },
                },
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};

function widget(name: string, spec: object) {
  return { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name }, spec };
}

test('a definition is established at once and its kind discovered', async () => {
  const { body } = await call('GET', `${definitions}/widgets.example.com`);
  const established = body.status.conditions.find((one) => one.type === 'Established');
  assert.equal(established?.status, 'True');
  const discovered = await call('GET', '/apis/example.com/v1');
  assert.deepEqual(
    discovered.body.resources.map((one) => one.name),
    ['widgets', 'widgets/status'],
  );
});

test('defaults are filled in and unknown fields dropped', async () => {
  const { body } = await call('POST', path, widget('filled', { color: 'red', bogus: 1 }));
  assert.deepEqual(body.spec, { color: 'red', size: 3 });
});

test('every breach of the schema is one cause', async () => {
  const spec = {
    color: 'green',
    size: 0,
    cidr: 'nonsense',
    tags: ['a', 'a'],
    parts: [{ name: 'x' }, { name: 'x' }],
  };
  const { code, body } = await call('POST', path, widget('broken', spec));
  assert.equal(code, 422);
  assert.deepEqual(
    body.details.causes.map(({ field, reason }) => [field, reason]),
    [
      ['spec.color', 'FieldValueNotSupported'],
      ['spec.size', 'FieldValueInvalid'],
      ['spec.cidr', 'FieldValueTypeInvalid'],
      ['spec.tags[1]', 'FieldValueDuplicate'],
      ['spec.parts[1]', 'FieldValueDuplicate'],
    ],
  );
});

test('a value of the wrong type is named with its path', async () => {
  const { body } = await call('POST', path, widget('typed', { color: 'red', size: 'big' }));
  assert.match(body.message, /spec\.size in body must be of type integer: "string"/);
});

test('selectable fields select', async () => {
  await call('POST', path, widget('blue-1', { color: 'blue' }));
  const { body } = await call('GET', `${path}?fieldSelector=spec.color%3Dblue`);
  assert.deepEqual(
    body.items.map((item) => item.metadata.name),
    ['blue-1'],
  );
});

test('printer columns read filtered lists', async () => {
  await call('POST', path, widget('shown', { color: 'red' }));
  const status = {
    conditions: [
      { type: 'Other', status: 'False' },
      { type: 'Ready', status: 'True' },
    ],
  };
  await call('PATCH', `${path}/shown/status`, { status });
  const { body } = await call(
    'GET',
    `${path}/shown`,
    undefined,
    'application/json;as=Table;v=v1;g=meta.k8s.io',
  );
  assert.deepEqual(body.rows[0]?.cells, ['shown', 'True']);
});

test('a replacement must name the revision that it replaces', async () => {
  await call('POST', path, widget('blind', { color: 'red' }));
  const { code, body } = await call('PUT', `${path}/blind`, widget('blind', { color: 'blue' }));
  assert.equal(code, 422);
  assert.equal(body.details.causes[0]?.field, 'metadata.resourceVersion');
});

test('strategic merge patches are refused for custom kinds', async () => {
  await call('POST', path, widget('plain', { color: 'red' }));
  const response = await fetch(`${server.url}${path}/plain`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
    body: '{}',
  });
  assert.equal(response.status, 415);
});

test('the objects of a kind go with its definition', async () => {
  const names = { plural: 'gadgets', kind: 'Gadget' };
  const definition = {
    ...widgets,
    metadata: { name: 'gadgets.example.com' },
    spec: { ...widgets.spec, names },
  };
  const gadgets = '/apis/example.com/v1/gadgets';
  await call('POST', definitions, definition);
  const gadget = {
    apiVersion: 'example.com/v1',
    kind: 'Gadget',
    metadata: { name: 'one' },
    spec: { color: 'red' },
  };
  assert.equal((await call('POST', gadgets, gadget)).code, 201);
  await call('DELETE', `${definitions}/gadgets.example.com`);
  assert.equal((await fetch(server.url + gadgets)).status, 404);
  await call('POST', definitions, definition);
  assert.deepEqual((await call('GET', gadgets)).body.items, []);
});

test('objects, definitions and rising revisions survive a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), `calico-apiserver-${process.pid}-`));
  const database = join(folder, 'store.db');
  const outer = server;
  try {
    server = await startApiServer({ database });
    await call('POST', definitions, widgets);
    const before = await call('POST', path, widget('kept', { color: 'red' }));
    await server.close();
    server = await startApiServer({ database });
    assert.deepEqual((await call('GET', `${path}/kept`)).body, before.body);
    const after = await call('PATCH', `${path}/kept`, { spec: { size: 4 } });
    assert.ok(Number(after.body.metadata.resourceVersion) > Number(before.body.metadata.resourceVersion));
  } finally {
    await server.close();
    server = outer;
    await rm(folder, { recursive: true });
  }
});
