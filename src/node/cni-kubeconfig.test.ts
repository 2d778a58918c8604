import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { accessFromKubeconfig } from '../datastore/index.ts';
import { createLogger } from '../process/index.ts';
import { keepCniKubeconfig } from './cni-kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-kubeconfig-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const log = createLogger('test', 'silent');
const access = { server: 'https://10.96.0.1:443', tls: { ca: 'the authority' } };

test('a token is written for its owner alone and replaced before it ends', { timeout: 60_000 }, async () => {
  const path = join(folder, 'net.d', 'calico-kubeconfig');
  const ending = new AbortController();
  const headers: (string | undefined)[] = [];
  let asked = 0;
  await keepCniKubeconfig({
    path,
    access,
    log,
    signal: ending.signal,
    requestToken: async () => {
      asked++;
      if (asked > 1) headers.push(await accessFromKubeconfig(path).credential.header());
      if (asked === 3) ending.abort();
      // Over already: renewed as soon as may be.
      return { token: `token-${asked}`, lifetimeMs: 0 };
    },
  });
  assert.deepEqual(headers, ['Bearer token-1', 'Bearer token-2']);
  const written = accessFromKubeconfig(path);
  assert.equal(written.server, access.server);
  assert.deepEqual(written.tls, { ca: access.tls.ca });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(folder, 'net.d')), ['calico-kubeconfig']);
});

test('an API server that gives no token is asked again, and the old file stays', {
  timeout: 60_000,
}, async () => {
  const path = join(folder, 'kubeconfig');
  const ending = new AbortController();
  let asked = 0;
  let kept = '';
  await keepCniKubeconfig({
    path,
    access,
    log,
    signal: ending.signal,
    requestToken: async () => {
      asked++;
      if (asked === 2) {
        kept = readFileSync(path, 'utf8');
        throw new Error('The API server is not there');
      }
      if (asked === 3) {
        assert.equal(readFileSync(path, 'utf8'), kept);
        ending.abort();
      }
      return { token: `token-${asked}`, lifetimeMs: 0 };
    },
  });
  assert.equal(asked, 3);
  assert.match(kept, /token-1/);
});
