import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { stringify } from 'yaml';
import { accessFromKubeconfig, accessFromKubeconfigs, accessFromPod } from './cluster-access.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), `calico-ts-access-${process.pid}-`));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A kubeconfig with one user and cluster, and a context of each name. */
function kubeconfig(user: object, cluster: object = {}): string {
  const path = join(directory, 'kubeconfig');
  const config = {
    'current-context': 'main',
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'n' } },
      { name: 'bare', context: { cluster: 'c' } },
      { name: 'broken', context: { cluster: 'missing' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://10.96.0.1:443', ...cluster } }],
    users: [{ name: 'u', user }],
  };
  writeFileSync(path, stringify(config));
  return path;
}

test('the current context says where, as whom and in which namespace', async () => {
  const access = accessFromKubeconfig(kubeconfig({ token: 't' }));
  assert.equal(access.server, 'https://10.96.0.1:443');
  assert.equal(access.namespace, 'n');
  assert.equal(await access.credential.header(), 'Bearer t');
});

test('another context may be named, and a missing one is an error that names the file', async () => {
  const path = kubeconfig({ token: 't' });
  const access = accessFromKubeconfig(path, 'bare');
  assert.equal(access.namespace, 'default');
  assert.equal(await access.credential.header(), undefined);
  assert.throws(() => accessFromKubeconfig(path, 'other'), {
    message: `Cannot use kubeconfig "${path}": it has no context "other"`,
  });
  assert.throws(() => accessFromKubeconfig(path, 'broken'), /it has no cluster "missing"/);
});

test('several files are read as one, of which the earlier counts, each with the paths beside it', () => {
  const user = kubeconfig({ 'client-key': 'key.pem' });
  writeFileSync(join(directory, 'key.pem'), 'KEY');
  const place = join(directory, 'elsewhere');
  mkdirSync(place);
  writeFileSync(join(place, 'ca.pem'), 'CA');
  const cluster = join(place, 'kubeconfig');
  const section = { server: 'https://10.0.0.1', 'certificate-authority': 'ca.pem' };
  writeFileSync(
    cluster,
    stringify({
      'current-context': 'bare',
      contexts: [{ name: 'theirs', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: section }],
    }),
  );
  const { server, tls, namespace } = accessFromKubeconfigs([cluster, user], 'main');
  assert.deepEqual(
    { server, tls, namespace },
    { server: section.server, tls: { ca: 'CA', key: 'KEY' }, namespace: 'n' },
  );
  assert.equal(accessFromKubeconfigs([user, cluster], 'theirs').server, 'https://10.96.0.1:443');
  assert.deepEqual(accessFromKubeconfigs([cluster, user]).tls, { ca: 'CA' });
});

test('a kubeconfig that cannot be read is named', () => {
  assert.throws(() => accessFromKubeconfig(directory), {
    message: `Cannot read kubeconfig "${directory}": EISDIR: illegal operation on a directory, read`,
  });
});

test('certificates come inline or from files beside the kubeconfig', () => {
  writeFileSync(join(directory, 'key.pem'), 'KEY');
  const { tls } = accessFromKubeconfig(
    kubeconfig(
      { 'client-certificate-data': Buffer.from('CERT').toString('base64'), 'client-key': 'key.pem' },
      { 'certificate-authority-data': Buffer.from('CA').toString('base64'), 'tls-server-name': 'name' },
    ),
  );
  assert.deepEqual(tls, { ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'name' });
});

test('a token file that was replaced is read again after a refusal', async () => {
  const file = join(directory, 'token');
  writeFileSync(file, 'one\n');
  const { credential } = accessFromKubeconfig(kubeconfig({ tokenFile: 'token' }));
  assert.equal(await credential.header(), 'Bearer one');
  writeFileSync(file, 'two\n');
  assert.equal(await credential.header(), 'Bearer one');
  credential.refused();
  assert.equal(await credential.header(), 'Bearer two');
});

test('a program may print the token, and runs again only when that has expired or was refused', async () => {
  const runs = join(directory, 'runs');
  const program = join(directory, 'program');
  writeFileSync(
    program,
    `#!/bin/sh
printf x >> ${runs}
printf '{"status":{"token":"%s-%s","expirationTimestamp":"2999-01-01T00:00:00Z"}}' "$PREFIX" "$(wc -c < ${runs})"
`,
  );
  chmodSync(program, 0o755);
  const env = [{ name: 'PREFIX', value: 'p' }];
  const { credential } = accessFromKubeconfig(kubeconfig({ exec: { command: program, env } }));
  const together = await Promise.all([credential.header(), credential.header()]);
  assert.deepEqual(together, ['Bearer p-1', 'Bearer p-1']);
  assert.equal(await credential.header(), 'Bearer p-1');
  credential.refused();
  assert.equal(await credential.header(), 'Bearer p-2');
});

test('a program that prints no token is named', async () => {
  const { credential } = accessFromKubeconfig(kubeconfig({ exec: { command: 'echo', args: ['{}'] } }));
  await assert.rejects(credential.header(), /Cannot use the credential of "echo": it printed no token/);
});

test('in a pod, the service account opens the door', async () => {
  for (const [name, text] of Object.entries({ 'ca.crt': 'CA', token: 't', namespace: 'kube-system\n' })) {
    writeFileSync(join(directory, name), text);
  }
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const access = accessFromPod(environment, directory);
  assert.equal(access.server, 'https://[fd00::1]:443');
  assert.equal(access.namespace, 'kube-system');
  assert.equal(await access.credential.header(), 'Bearer t');
  assert.throws(() => accessFromPod({}, directory), /KUBERNETES_SERVICE_HOST/);
});
