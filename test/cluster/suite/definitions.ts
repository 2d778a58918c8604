// Every kind in the real kube-apiserver: it takes what the embedded server takes, fills in the same defaults, keeps every field, and
// refuses what that refuses in the same words. And calicoctl works with it, by TLS and a client's certificate.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { runCalicoctl } from '../../calicoctl/api-cluster.ts';
import { asCreated, everyObject, everyRefusal, toYaml, written } from '../../resources/every-object.ts';
import { ApiServer } from '../api-server.ts';
import { kubernetesVersion } from '../kubernetes-programs.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'calico-definitions-'));
let server: ApiServer;

before(async () => {
  server = await ApiServer.start({ folder: join(folder, 'server') });
  await server.kubectl(['apply', '--server-side', '--filename', join(root, 'manifests/crds')]);
  await server.kubectl(['wait', '--for=condition=Established', '--all', '--timeout=60s', 'crd']);
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function calicoctl(...line: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCalicoctl(line, {
    environment: { KUBECONFIG: server.kubeconfig },
  });
  assert.equal(code, 0, stderr);
  return stdout;
}

test('kubectl and kube-apiserver are of the version that was asked for', async () => {
  const { clientVersion, serverVersion } = JSON.parse(await server.kubectl(['version', '--output=json']));
  const version = kubernetesVersion();
  assert.deepEqual([clientVersion.gitVersion, serverVersion.gitVersion], [version, version]);
});

test('it refuses what the embedded server refuses, in the same words', async () => {
  const judged = everyRefusal.filter(({ byServer }) => byServer).map(({ object }) => object);
  const file = write('judged.yaml', toYaml(judged));
  const error = await server.kubectl(['create', '--filename', file]).catch((error: Error) => error);
  assert.ok(error instanceof Error, 'it took what the embedded server refuses');
  const said = error.message.slice(error.message.indexOf('Error from server')).replaceAll(file, 'FILE');
  const expected = readFileSync(join(root, 'test/data/refusals.txt'), 'utf8');
  assert.deepEqual(said.trimEnd().split('\n'), expected.trimEnd().split('\n'));
});

test('it takes every kind from kubectl and keeps every field, with the same defaults', async () => {
  const file = write('all.yaml', toYaml(everyObject.map(asCreated)));
  await server.kubectl(['create', '--filename', file]);
  const list = JSON.parse(await server.kubectl(['get', '--filename', file, '--output', 'json']));
  for (const object of list.items) delete object.metadata.managedFields;
  assert.deepEqual(list.items.map(written), everyObject.map(asCreated));
});

test('calicoctl shows, applies and deletes every kind on it', async () => {
  const file = join(folder, 'all.yaml');
  const list = parse(await calicoctl('get', '-f', file, '-o', 'yaml'));
  assert.deepEqual(list.items.map(written), everyObject.map(asCreated));
  assert.doesNotMatch(await calicoctl('apply', '-f', file), / (created|configured)$/m);
  assert.equal((await calicoctl('delete', '-f', file)).match(/ deleted$/gm)?.length, everyObject.length);
});
