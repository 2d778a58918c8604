// What is said about objects of every kind, by our own validator and by the API server from the kinds' definitions.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startApiServer } from '../../src/apiserver/index.ts';
import { KubernetesDatastore } from '../../src/datastore/index.ts';
import { crds, customResourceDefinitions, type Resource, validate } from '../../src/resources/index.ts';
import { accessTo } from '../datastore/access.ts';
import { objectCases } from './objects.ts';

let server: Awaited<ReturnType<typeof startApiServer>>;
let store: KubernetesDatastore;

before(async () => {
  server = await startApiServer({
    database: ':memory:',
    token: 'secret',
    listen: { host: '127.0.0.1', port: 0 },
  });
  store = new KubernetesDatastore(accessTo(server.url));
  for (const crd of crds()) await store.create(customResourceDefinitions, crd);
});

after(async () => {
  await store.close();
  await server.close();
});

function named(object: Resource, namespaced: boolean): Resource {
  return namespaced ? { ...object, metadata: { ...object.metadata, namespace: 'default' } } : object;
}

for (const { kind, taken, refused } of objectCases) {
  test(`objects of ${kind.kind} that are right are taken`, async () => {
    assert.ok(taken.length > 0, 'no such objects');
    for (const object of taken) {
      assert.deepEqual(validate(kind, object), [], JSON.stringify(object));
      const { metadata } = await store.create(kind, named(object, kind.namespaced));
      await store.delete(kind, metadata);
    }
  });

  test(`what is wrong with a ${kind.kind} is said in a sentence`, () => {
    assert.ok(refused.length >= 5, `only ${refused.length} such objects`);
    for (const { object, says } of refused) {
      const said = validate(kind, object).map(({ path, message }) => `${path} ${message}`.trim());
      assert.deepEqual(said, says, JSON.stringify(object));
    }
  });

  test(`the API server refuses a wrong ${kind.kind} by its definition alone`, async () => {
    for (const { object } of refused.filter(({ byServer }) => byServer)) {
      await assert.rejects(
        store.create(kind, named(object, kind.namespaced)),
        { name: 'InvalidResourceError' },
        JSON.stringify(object),
      );
    }
  });
}
