// The cases that every datastore must pass, and those of who owns which field, over the real kube-apiserver. test/datastore and
// test/apiserver run the same over the embedded one.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { accessFromKubeconfig, KubernetesDatastore } from '../../../src/datastore/index.ts';
import { runFieldManagerCases } from '../../apiserver/field-manager-cases.ts';
import { runDatastoreCases } from '../../datastore/cases.ts';
import { ApiServer } from '../api-server.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'calico-datastore-'));
let server: ApiServer;
let store: KubernetesDatastore;

before(async () => {
  server = await ApiServer.start({ folder: join(folder, 'server') });
  await server.kubectl(['apply', '--server-side', '--filename', join(root, 'manifests/crds')]);
  await server.kubectl(['wait', '--for=condition=Established', '--all', '--timeout=60s', 'crd']);
  store = new KubernetesDatastore(accessFromKubeconfig(server.kubeconfig));
});
after(async () => {
  await store?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

runDatastoreCases('behind the real API server', () => store);
runFieldManagerCases('in the real API server', (args, input) => server.kubectl(args, input));
