// The real program, in a process of its own, on an API server.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { IpamClient } from '../../src/ipam/index.ts';
import {
  ipamHandles,
  ipPools,
  kubeControllersConfigurations,
  leases,
  namespaces,
  nodes,
  tiers,
} from '../../src/resources/index.ts';
import { ApiCluster } from '../calicoctl/api-cluster.ts';
import { podRequest } from '../ipam/cluster.ts';
import { until } from './until.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'calico-kube-controllers.ts');
const apiVersion = 'projectcalico.org/v3';

class Process implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];

  constructor(cluster: ApiCluster, name: string) {
    this.child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env.PATH,
        KUBECONFIG: cluster.kubeconfig,
        POD_NAME: name,
        HEALTH_HOST: '127.0.0.1',
        HEALTH_PORT: '0',
      },
    });
    if (this.child.stderr) createInterface(this.child.stderr).on('line', (line) => this.#lines.push(line));
  }

  get log(): string {
    return this.#lines.join('\n');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

test('one of two processes brings the cluster in order, and the other goes on when it is stopped', async () => {
  await using cluster = await ApiCluster.start();
  const { store } = cluster;
  await store.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'calico-system' },
  });
  await using first = new Process(cluster, 'first');
  const holds = (name: string) =>
    until(
      store,
      leases,
      `${name} to lead`,
      ([lease]) => lease?.spec?.holderIdentity?.startsWith(name) === true,
    );
  await holds('first');
  await using second = new Process(cluster, 'second');
  await until(store, tiers, 'the built-in tiers', (all) => all.length === 3);
  const pool = { cidr: '10.0.0.0/26', blockSize: 29 };
  await store.create(ipPools, { apiVersion, kind: 'IPPool', metadata: { name: 'p' }, spec: pool });
  const isAllocatable = ([one]: readonly { status?: { conditions?: { status: string }[] } }[]) =>
    one?.status?.conditions?.[0]?.status === 'True';
  await until(store, ipPools, 'the pool to give addresses', isAllocatable);
  const [configuration] = await until(
    store,
    kubeControllersConfigurations,
    'what is in force',
    ([one]) => one?.status?.runningConfig !== undefined,
  );
  assert.equal(configuration?.status?.runningConfig?.controllers?.node?.leakGracePeriod, '15m');
  assert.equal(await first.end('SIGTERM'), 0, first.log);
  await holds('second');

  // A shorter grace, while it runs: what a removed node holds is collected.
  await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  await new IpamClient(store).autoAssign(podRequest(4, 'lost', 'node-1'));
  await store.mergePatch(
    kubeControllersConfigurations,
    { name: 'default' },
    { spec: { controllers: { node: { leakGracePeriod: '1s' } } } },
  );
  await store.delete(nodes, { name: 'node-1' });
  await until(store, ipamHandles, 'the address of the removed node to come back', (all) => all.length === 0);
  await until(
    store,
    kubeControllersConfigurations,
    'the shorter grace in the status',
    ([one]) => one?.status?.runningConfig?.controllers?.node?.leakGracePeriod === '1s',
  );
  assert.equal(await second.end('SIGTERM'), 0, second.log);
});
