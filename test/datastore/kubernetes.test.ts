// The shared cases over HTTP, against the embedded API server.
import { after, before } from 'node:test';
import { startApiServer } from '../../src/apiserver/index.ts';
import { KubernetesDatastore } from '../../src/datastore/index.ts';
import { crds, customResourceDefinitions } from '../../src/resources/index.ts';
import { accessTo } from './access.ts';
import { runDatastoreCases } from './cases.ts';

const token = 'secret';
let server: Awaited<ReturnType<typeof startApiServer>>;
let store: KubernetesDatastore;

before(async () => {
  server = await startApiServer({ database: ':memory:', token, listen: { host: '127.0.0.1', port: 0 } });
  store = new KubernetesDatastore(accessTo(server.url, token));
  for (const crd of crds()) await store.create(customResourceDefinitions, crd);
});

after(async () => {
  await store.close();
  await server.close();
});

runDatastoreCases('behind the embedded API server', () => store);
