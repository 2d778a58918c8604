// Ways to prove to an API server who we are, beyond a client certificate: each yields an Authorization header.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface Credential {
  /** The header's value, or undefined when there is none to send. */
  header(): Promise<string | undefined>;
  /** The server refused the last one: do not offer it again from a cache. */
  refused(): void;
}

export const anonymous: Credential = { header: async () => undefined, refused: () => {} };

export function staticCredential(header: string): Credential {
  return { header: async () => header, refused: () => {} };
}

/** How long a token read from a file is trusted; kubelets rotate projected tokens at four fifths of an hour or more. */
const tokenFileTtlMs = 60_000;

/** A token in a file that somebody else keeps fresh, such as a service account's. */
export function tokenFileCredential(path: string): Credential {
  let cached: { header: string; until: number } | undefined;
  return {
    async header() {
      // Not the time of day, which may be set back while the token goes on ageing.
      if (!cached || performance.now() >= cached.until) {
        const token = (await readFile(path, 'utf8')).trim();
        cached = { header: `Bearer ${token}`, until: performance.now() + tokenFileTtlMs };
      }
      return cached.header;
    },
    refused() {
      cached = undefined;
    },
  };
}

/** The `exec` section of a kubeconfig user. */
export interface ExecSection {
  apiVersion?: string;
  command: string;
  args?: string[];
  env?: { name: string; value: string }[];
}

/**
 * A token printed by a program (client.authentication.k8s.io ExecCredential), asked for again when it expires.
 * Concurrent callers share one run. Certificates from such programs are not supported, and are said to be so.
 */
export function execCredential(section: ExecSection): Credential {
  const apiVersion = section.apiVersion ?? 'client.authentication.k8s.io/v1';
  let current: Promise<{ header: string; until: number }> | undefined;
  let until = 0;

  async function run(): Promise<{ header: string; until: number }> {
    const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
    const env = { ...process.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
    for (const { name, value } of section.env ?? []) Object.assign(env, { [name]: value });
    const { stdout } = await promisify(execFile)(section.command, section.args ?? [], {
      env,
      timeout: 60_000,
    });
    const { status } = JSON.parse(stdout) as {
      status?: { token?: string; expirationTimestamp?: string };
    };
    if (!status?.token) {
      throw new Error(`Cannot use the credential of "${section.command}": it printed no token`);
    }
    const expires = status.expirationTimestamp ? Date.parse(status.expirationTimestamp) - 10_000 : Infinity;
    return { header: `Bearer ${status.token}`, until: expires };
  }

  return {
    async header() {
      if (!current || Date.now() >= until) {
        until = Infinity;
        current = run();
        current.then(
          (result) => {
            until = result.until;
          },
          () => {
            // The caller below receives the same rejection; here it only ends the cache.
            current = undefined;
          },
        );
      }
      return (await current).header;
    },
    refused() {
      current = undefined;
    },
  };
}
