// Where an API server is and how to be let in: from a kubeconfig file, or from the pod that we run in.
// Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import {
  anonymous,
  type Credential,
  type ExecSection,
  execCredential,
  staticCredential,
  tokenFileCredential,
} from './credentials.ts';

export interface ClusterAccess {
  /** "https://10.96.0.1:443", perhaps with a path. */
  readonly server: string;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  readonly credential: Credential;
  /** The context's namespace, or "default". */
  readonly namespace: string;
}

interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user?: string; namespace?: string } }[];
  clusters?: { name: string; cluster: ClusterSection }[];
  users?: { name: string; user: UserSection }[];
}

interface ClusterSection {
  server: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
}

interface UserSection {
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  exec?: ExecSection;
}

/**
 * Access as a kubeconfig's context describes it, the current one unless named. Paths in the file are relative to it.
 * @throws Error when the file cannot be read, is not YAML, or lacks what the context names
 */
export function accessFromKubeconfig(path: string, contextName?: string): ClusterAccess {
  return accessFromKubeconfigText(readFileSync(path, 'utf8'), path, contextName);
}

/**
 * As `accessFromKubeconfig`, for a kubeconfig whose text is at hand; `path` is what it is called in errors, and what the
 * paths in it are relative to.
 */
export function accessFromKubeconfigText(text: string, path: string, contextName?: string): ClusterAccess {
  const config = (parse(text) ?? {}) as Kubeconfig;
  const name = contextName ?? config['current-context'];
  const context = config.contexts?.find((entry) => entry.name === name)?.context;
  if (!context) throw new Error(`Cannot use kubeconfig "${path}": it has no context "${name ?? ''}"`);
  const cluster = config.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  if (!cluster?.server)
    throw new Error(`Cannot use kubeconfig "${path}": it has no cluster "${context.cluster}"`);
  const user = config.users?.find((entry) => entry.name === context.user)?.user ?? {};
  const read = (file: string | undefined, data: string | undefined): string | undefined => {
    if (data) return Buffer.from(data, 'base64').toString('utf8');
    return file && readFileSync(resolve(dirname(path), file), 'utf8');
  };
  const tls = {
    ca: read(cluster['certificate-authority'], cluster['certificate-authority-data']),
    cert: read(user['client-certificate'], user['client-certificate-data']),
    key: read(user['client-key'], user['client-key-data']),
    servername: cluster['tls-server-name'],
    rejectUnauthorized: cluster['insecure-skip-tls-verify'] ? false : undefined,
  };
  return {
    server: cluster.server,
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    credential: credentialOf(withUserOf(cluster.server, user), dirname(path)),
    namespace: context.namespace ?? 'default',
  };
}

/** As kubectl: a name and password in the server's URL serve those who have no other credential. */
function withUserOf(server: string, user: UserSection): UserSection {
  const { username, password } = new URL(server);
  const hasNone = Object.keys(user).length === 0;
  if (!hasNone || username === '') return user;
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** As kubectl: a token file before a token, and both before a program. */
function credentialOf(user: UserSection, directory: string): Credential {
  if (user.tokenFile) return tokenFileCredential(resolve(directory, user.tokenFile));
  if (user.token) return staticCredential(`Bearer ${user.token}`);
  if (user.exec) return execCredential(user.exec);
  if (user.username !== undefined) {
    const pair = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
    return staticCredential(`Basic ${pair}`);
  }
  return anonymous;
}

/**
 * Access with the pod's service account.
 * @throws Error when we do not run in a pod
 * Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 */
export function accessFromPod(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  directory = '/var/run/secrets/kubernetes.io/serviceaccount',
): ClusterAccess {
  const host = environment.KUBERNETES_SERVICE_HOST;
  const port = environment.KUBERNETES_SERVICE_PORT;
  if (!host || !port) {
    throw new Error(
      'Cannot find the API server of the pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    );
  }
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: { ca: readFileSync(`${directory}/ca.crt`, 'utf8') },
    credential: tokenFileCredential(`${directory}/token`),
    namespace: readFileSync(`${directory}/namespace`, 'utf8').trim(),
  };
}
