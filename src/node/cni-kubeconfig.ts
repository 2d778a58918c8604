// The kubeconfig beside the CNI configuration, for plugins that ask the API server themselves; ours asks calico-node. Its token is
// of an account that may do next to nothing, lives for a day, and is replaced long before it ends.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterAccess, ServiceAccountToken } from '../datastore/index.ts';
import { type Logger, writeTextWhole } from '../process/index.ts';

export interface CniKubeconfigOptions {
  /** File to keep. */
  readonly path: string;
  /** Of the API server; the credential in it is not written. */
  readonly access: Pick<ClusterAccess, 'server' | 'tls'>;
  /** Asks for a new token. */
  readonly requestToken: () => Promise<ServiceAccountToken>;
  readonly log: Logger;
  /** Whoever aborts it ends the keeping; the file stays. */
  readonly signal: AbortSignal;
}

/** A fourth of its life is left to a token when the next is asked for, as long as the API server answers at once. */
const shareBeforeRenewal = 0.75;
const retryMs = { first: 2_000, most: 60_000 };
/** Longer waits overflow Node's timers. */
const longestWaitMs = 2 ** 31 - 1;

/** Resolves once `signal` is aborted; never rejects: a node works without this file. */
export async function keepCniKubeconfig(options: CniKubeconfigOptions): Promise<void> {
  const { path, requestToken, log, signal } = options;
  let retry = retryMs.first;
  while (!signal.aborted) {
    let waitMs: number;
    try {
      const { token, lifetimeMs } = await requestToken();
      writeKubeconfig(options, token);
      retry = retryMs.first;
      waitMs = Math.max(retryMs.first, lifetimeMs * shareBeforeRenewal);
      log.debug({ path, lifetimeMs }, 'Wrote the kubeconfig of the CNI plugin');
    } catch (error) {
      log.warn({ error, path }, 'Cannot renew the kubeconfig of the CNI plugin; trying again');
      waitMs = retry;
      retry = Math.min(retry * 2, retryMs.most);
    }
    // Aborted while it waits: the loop's condition ends it.
    await delay(Math.min(waitMs, longestWaitMs), undefined, { signal, ref: false }).catch(() => {});
  }
}

function writeKubeconfig({ path, access: { server, tls } }: CniKubeconfigOptions, token: string): void {
  const authority = tls.ca && { 'certificate-authority-data': Buffer.from(tls.ca).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'calico-context',
    clusters: [{ name: 'local', cluster: { server, ...authority } }],
    users: [{ name: 'calico', user: { token } }],
    contexts: [{ name: 'calico-context', context: { cluster: 'local', user: 'calico' } }],
  };
  mkdirSync(join(path, '..'), { recursive: true });
  // JSON is YAML.
  const text = `${JSON.stringify(config, undefined, 2)}\n`;
  writeTextWhole(path, 0o600, text);
}
