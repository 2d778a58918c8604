// Metrics over TLS, and whom they are shown to.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { environmentLayer } from '../../src/felix/configuration/layers.ts';
import { resolveSettings } from '../../src/felix/configuration/resolve.ts';
import { Observability } from '../../src/node/observability.ts';
import { createLogger, ServedPort } from '../../src/process/index.ts';
import { type Certificate, CertificateAuthority } from '../cluster/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'ct-metrics-'));
after(() => rmSync(folder, { recursive: true }));
const authority = new CertificateAuthority(join(folder, 'ours'));
const server = authority.issue('server', 'metrics', [], ['IP:127.0.0.1']);
const friend = authority.issue('friend', 'prometheus');
const stranger = new CertificateAuthority(join(folder, 'theirs')).issue('stranger', 'somebody');

const tls = { certFile: server.certificate, keyFile: server.key, caFile: authority.certificate };

/** The status, or that there was no answer. */
function ask(port: number, client?: Certificate): Promise<number | 'refused'> {
  const agent = new Agent({
    ca: readFileSync(authority.certificate),
    ...(client && { cert: readFileSync(client.certificate), key: readFileSync(client.key) }),
  });
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/metrics', agent }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', () => resolve('refused'));
    asked.end();
  });
}

test('whoever asks has to be who prometheusMetricsClientAuth says', async () => {
  const served = new ServedPort(() => ({ status: 200, type: 'text/plain', text: 'ok' }));
  const answers: Record<string, (number | 'refused')[]> = {};
  for (const clientAuth of [
    'NoClientCert',
    'VerifyClientCertIfGiven',
    'RequireAnyClientCert',
    'RequireAndVerifyClientCert',
  ] as const) {
    await served.serveAt({ host: '127.0.0.1', port: 0, tls: { ...tls, clientAuth } });
    const port = served.address?.port ?? 0;
    answers[clientAuth] = await Promise.all([ask(port), ask(port, friend), ask(port, stranger)]);
  }
  await served.close();
  assert.deepEqual(answers, {
    NoClientCert: [200, 200, 200],
    VerifyClientCertIfGiven: [200, 200, 'refused'],
    RequireAnyClientCert: ['refused', 200, 200],
    RequireAndVerifyClientCert: ['refused', 200, 'refused'],
  });
});

test('a certificate and its key are what it takes, and a change counts at once', async () => {
  const free = new ServedPort(() => undefined);
  await free.serveAt({ host: '127.0.0.1', port: 0 });
  const port = free.address?.port ?? 0;
  await free.close();
  const settings = (more: Record<string, string>) =>
    resolveSettings([
      environmentLayer({
        FELIX_PROMETHEUSMETRICSENABLED: 'true',
        FELIX_PROMETHEUSMETRICSHOST: '127.0.0.1',
        FELIX_PROMETHEUSMETRICSPORT: String(port),
        FELIX_PROMETHEUSMETRICSCERTFILE: server.certificate,
        ...more,
      }),
    ]).settings;
  const observability = new Observability(settings({}), createLogger('test', 'silent'));
  await observability.apply(settings({}));
  assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 200);
  await observability.apply(settings({ FELIX_PROMETHEUSMETRICSKEYFILE: server.key }));
  assert.equal(await ask(port), 200);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/metrics`));
  await observability.close();
});

test('a certificate that cannot be read leaves nothing served', async () => {
  const served = new ServedPort(() => undefined);
  await assert.rejects(
    served.serveAt({
      host: '127.0.0.1',
      port: 0,
      tls: { ...tls, certFile: join(folder, 'none'), clientAuth: 'NoClientCert' },
    }),
    /ENOENT/,
  );
  assert.equal(served.address, undefined);
});
