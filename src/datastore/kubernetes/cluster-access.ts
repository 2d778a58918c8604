// Where an API server is and how to be let in: from a kubeconfig file, or from the pod that we run in.
// Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
import { readFileSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
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

/** A kubeconfig's text, and where it comes from: what errors call it, and what the paths in it are relative to. */
interface KubeconfigFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Access as a kubeconfig's context describes it, the current one unless named. Paths in the file are relative to it.
 * @throws Error when the file cannot be read, is not YAML, or lacks what the context names
 */
export function accessFromKubeconfig(path: string, contextName?: string): ClusterAccess {
  return accessFromKubeconfigs([path], contextName);
}

/** As `accessFromKubeconfig`, of several files that are read as one: of what two of them name, the earlier one counts. */
export function accessFromKubeconfigs(paths: readonly string[], contextName?: string): ClusterAccess {
  return accessFrom(
    paths.map((path) => ({ path, text: readKubeconfig(path) })),
    contextName,
  );
}

/** As `accessFromKubeconfig`, for a kubeconfig whose text is at hand; `path` is what it is called. */
export function accessFromKubeconfigText(text: string, path: string, contextName?: string): ClusterAccess {
  return accessFrom([{ path, text }], contextName);
}

function readKubeconfig(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`Cannot read kubeconfig "${path}": ${(cause as Error).message}`, { cause });
  }
}

function accessFrom(files: readonly KubeconfigFile[], contextName: string | undefined): ClusterAccess {
  const parsed = files.map(({ path, text }) => ({
    directory: dirname(path),
    config: (parse(text) ?? {}) as Kubeconfig,
  }));
  const entry = <Section extends 'contexts' | 'clusters' | 'users'>(
    section: Section,
    name: string | undefined,
  ) => {
    for (const { config, directory } of parsed) {
      const found = config[section]?.find((one) => one.name === name);
      if (found) return { found: found as NonNullable<Kubeconfig[Section]>[number], directory };
    }
    return undefined;
  };
  const fail = (what: string): never => {
    throw new Error(`Cannot use kubeconfig "${files.map(({ path }) => path).join(delimiter)}": ${what}`);
  };
  const name =
    contextName ?? parsed.map(({ config }) => config['current-context']).find((current) => current);
  const context = entry('contexts', name)?.found.context ?? fail(`it has no context "${name ?? ''}"`);
  const ofCluster = entry('clusters', context.cluster);
  const cluster = ofCluster?.found.cluster;
  if (!cluster?.server) return fail(`it has no cluster "${context.cluster}"`);
  const ofUser = entry('users', context.user);
  const user = ofUser?.found.user ?? {};
  const userDirectory = ofUser?.directory ?? '';
  const tls = {
    ca: read(
      cluster['certificate-authority'],
      cluster['certificate-authority-data'],
      ofCluster?.directory ?? '',
    ),
    cert: read(user['client-certificate'], user['client-certificate-data'], userDirectory),
    key: read(user['client-key'], user['client-key-data'], userDirectory),
    servername: cluster['tls-server-name'],
    rejectUnauthorized: cluster['insecure-skip-tls-verify'] ? false : undefined,
  };
  return {
    server: cluster.server,
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    credential: credentialOf(withUserOf(cluster.server, user), userDirectory),
    namespace: context.namespace ?? 'default',
  };
}

function read(file: string | undefined, data: string | undefined, directory: string): string | undefined {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  return file && readFileSync(resolve(directory, file), 'utf8');
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
