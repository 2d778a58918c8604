// A cluster that is only an API server, with Calico's kinds in it, and the real calicoctl to work on it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { startApiServer } from '../../src/apiserver/index.ts';
import { KubernetesDatastore } from '../../src/datastore/index.ts';
import { admittedPolicy, crds, customResourceDefinitions } from '../../src/resources/index.ts';
import { accessTo } from '../datastore/access.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'calicoctl.ts');

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Working folder. */
  readonly folder?: string;
}

/** Runs the real program to its end. Nothing of this machine's own configuration reaches it. */
export function runCalicoctl(arguments_: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run([process.execPath, program, ...arguments_], options);
}

/** Runs a program to its end, while this process goes on serving it. */
export async function run(
  [command = '', ...arguments_]: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  const child = spawn(command, arguments_, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.folder && { cwd: options.folder }),
    env: {
      PATH,
      HOME: '/nonexistent',
      ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }),
      ...options.environment,
    },
  });
  // A program may end without having read.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

export class ApiCluster implements AsyncDisposable {
  readonly store: KubernetesDatastore;
  /** For files of the test; it goes with the cluster. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, folder: string, store: KubernetesDatastore, close: () => Promise<void>) {
    this.url = url;
    this.folder = folder;
    this.store = store;
    this.kubeconfig = join(folder, 'kubeconfig');
    this.#close = close;
  }

  /** Without the kinds, `kubectl` can bring them. With admission the server fills in what policies leave out, as the lab's does. */
  static async start({ withKinds = true, withAdmission = false } = {}): Promise<ApiCluster> {
    const folder = mkdtempSync(join(tmpdir(), `calicoctl-test-${process.pid}-`));
    const server = await startApiServer({
      database: ':memory:',
      token: 'secret',
      ...(withAdmission && { admit: admittedPolicy }),
    });
    const store = new KubernetesDatastore(accessTo(server.url));
    const close = async () => {
      await store.close();
      await server.close();
      rmSync(folder, { recursive: true });
    };
    const cluster = new ApiCluster(server.url, folder, store, close);
    try {
      for (const crd of withKinds ? crds() : []) await store.create(customResourceDefinitions, crd);
      cluster.write('kubeconfig', kubeconfigFor(server.url));
      return cluster;
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** Runs calicoctl on this cluster. */
  run(arguments_: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const environment = { KUBECONFIG: this.kubeconfig, ...options.environment };
    return runCalicoctl(arguments_, { ...options, environment });
  }

  /** Runs kubectl on this cluster. */
  kubectl(arguments_: readonly string[], { stdin = '' } = {}): Promise<Ran> {
    return run(['kubectl', ...arguments_], { stdin, environment: this.kubectlEnvironment() });
  }

  /** For a kubectl that goes on running. Its home is the test's folder, where it keeps what it learns of the server. */
  kubectlEnvironment(): Record<string, string> {
    const kubeconfig = readFileSync(this.kubeconfig, 'utf8')
      // No kubectl sends a bearer token over plain HTTP; the URL's password it does send.
      .replaceAll(this.url, this.url.replace('//', '//kubectl:secret@'))
      .replace(/user:\n +token: secret/, 'user: {}');
    const path = this.write('kubectl.kubeconfig', kubeconfig);
    return { PATH: process.env.PATH ?? '', HOME: this.folder, KUBECONFIG: path };
  }

  /** Writes a file of the test and returns its path. */
  write(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

function kubeconfigFor(server: string): string {
  return stringify({
    'current-context': 'test',
    contexts: [
      { name: 'test', context: { cluster: 'test', user: 'test' } },
      { name: 'nowhere', context: { cluster: 'nowhere' } },
    ],
    clusters: [
      { name: 'test', cluster: { server } },
      { name: 'nowhere', cluster: { server: 'http://127.0.0.1:1' } },
    ],
    users: [{ name: 'test', user: { token: 'secret' } }],
  });
}
