// The cluster's API server, embedded in the lab's own process: on loopback for people, and inside the underlay for nodes.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiServer, startApiServer } from '../apiserver/index.ts';
import { type Datastore, KubernetesDatastore, staticCredential } from '../datastore/index.ts';
import { listenInNamespace } from '../kernel/index.ts';
import { admittedPolicy, type Pod } from '../resources/index.ts';
import { writeNodeKubeconfig, writePeoplesKubeconfig } from './kubeconfig.ts';
import { nodeRoot, type Run } from './run/run.ts';
import type { Underlay } from './underlay.ts';

const nodePort = 6443;

export class LabApi {
  /** The address for people. */
  readonly server: string;
  /** Path of the kubeconfig for people. */
  readonly kubeconfig: string;
  /** The lab's own client, which comes in by the door that people use. */
  readonly datastore: Datastore;
  readonly #serve: (port: number) => Promise<ApiServer>;
  readonly #token: string;
  #api: ApiServer;

  private constructor(
    api: ApiServer,
    serve: (port: number) => Promise<ApiServer>,
    kubeconfig: string,
    token: string,
    report: (message: string) => void,
  ) {
    this.server = api.url;
    this.kubeconfig = kubeconfig;
    this.#api = api;
    this.#serve = serve;
    this.#token = token;
    const credential = staticCredential(`Bearer ${token}`);
    this.datastore = new KubernetesDatastore(
      { server: api.url, tls: {}, credential, namespace: 'default' },
      { onTrouble: report },
    );
  }

  static async start(run: Run, underlay: Underlay, report: (message: string) => void): Promise<LabApi> {
    const token = randomBytes(24).toString('base64url');
    const tokenFile = join(run.folder, 'token');
    writeFileSync(tokenFile, token, { mode: 0o600 });
    const serve = async (port: number): Promise<ApiServer> => {
      const api = await startApiServer({
        database: join(run.folder, 'api.sqlite'),
        token,
        listen: { host: '127.0.0.1', port },
        admit: admittedPolicy,
      });
      try {
        // A socket belongs to the namespace that it was made in; this one hears the nodes, and nothing outside of the underlay.
        const address = { address: underlay.gateway, port: nodePort };
        await api.listen({ fd: listenInNamespace(underlay.namespace, address) });
        return api;
      } catch (error) {
        await api.close();
        throw error;
      }
    };
    const api = await serve(0);
    try {
      const kubeconfig = join(run.folder, 'kubeconfig');
      writePeoplesKubeconfig(kubeconfig, api.url, token);
      for (const { name } of underlay.nodes) {
        mkdirSync(nodeRoot(run, name), { recursive: true, mode: 0o700 });
        writeNodeKubeconfig(nodeKubeconfig(run, name), `http://${underlay.gateway}:${nodePort}`, tokenFile);
      }
      return new LabApi(api, serve, kubeconfig, token, report);
    } catch (error) {
      await api.close();
      throw error;
    }
  }

  /** Stops the server, does something, and starts it again with its store, at the same addresses. */
  async restart(meanwhile: () => Promise<void>): Promise<void> {
    const { port } = this.#api;
    await this.#api.close();
    try {
      await meanwhile();
    } finally {
      this.#api = await this.#serve(port);
    }
  }

  /** Deletes a pod without a period of grace, as a kubelet does once nothing of it is left. One that is gone is no error. */
  async removePod(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    await this.#ask(pod, 'remove', 'DELETE', '', {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid },
    });
  }

  /** Has a pod run on a node, as a scheduler does. Resolves with false when it is gone or has a node already. */
  bindPod(pod: Pod, node: string): Promise<boolean> {
    const { name, uid } = pod.metadata;
    return this.#ask(pod, 'bind', 'POST', '/binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, uid },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    });
  }

  /** Resolves with whether it was done: not when the pod is gone, or the name is another's by now (404, 409). @throws Error otherwise */
  async #ask(pod: Pod, what: string, method: string, part: string, body: object): Promise<boolean> {
    const { name, namespace = 'default' } = pod.metadata;
    const response = await fetch(`${this.server}/api/v1/namespaces/${namespace}/pods/${name}${part}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.text();
    if (response.ok || response.status === 404 || response.status === 409) return response.ok;
    throw new Error(
      `Cannot ${what} pod "${namespace}/${name}": the API server answered ${response.status}: ${answer}`,
    );
  }

  async close(): Promise<void> {
    await this.datastore.close();
    await this.#api.close();
  }
}

/** Where a node finds its kubeconfig. */
export function nodeKubeconfig(run: Run, node: string): string {
  return join(nodeRoot(run, node), 'kubeconfig');
}
