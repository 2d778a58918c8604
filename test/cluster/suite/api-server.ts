// The API server alone: our definitions in the real kube-apiserver.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ApiServer } from '../api-server.ts';
import { kubernetesVersion } from '../kubernetes-programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-api-server-'));
const definitions = join(import.meta.dirname, '../../../manifests/crds');
let server: ApiServer;
before(async () => {
  server = await ApiServer.start({ folder });
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('kubectl and kube-apiserver are of the version that was asked for', async () => {
  const { clientVersion, serverVersion } = JSON.parse(await server.kubectl(['version', '--output=json']));
  assert.deepEqual(
    [clientVersion.gitVersion, serverVersion.gitVersion],
    [kubernetesVersion(), kubernetesVersion()],
  );
});

test('kube-apiserver serves all of our definitions', async () => {
  await server.kubectl(['apply', '--server-side', '--filename', definitions]);
  await server.kubectl(['wait', '--for=condition=Established', '--all', '--timeout=60s', 'crd']);
  const pools = JSON.parse(await server.kubectl(['get', 'ippools', '--output=json']));
  assert.deepEqual(pools.items, []);
});
