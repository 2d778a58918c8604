// The real programs, on a store that holds objects which no validation would let in: calico-node with BGP on each node, and
// calico-kube-controllers. Nobody dies, and what is asked for amidst them is done.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bgpPaths } from '../../src/bgp/index.ts';
import { accessFromKubeconfig, KubernetesDatastore } from '../../src/datastore/index.ts';
import { Cluster } from '../../src/lab/cluster.ts';
import { nodeRoot } from '../../src/lab/run/run.ts';
import { bgpPeers, ipPools, namespaces } from '../../src/resources/index.ts';
import { until } from '../kube-controllers/until.ts';
import { type HostileObject, hostileObject } from './hostile-objects.ts';
import { networkTemplates, policyTemplates } from './hostile-templates.ts';
import { plantObjects } from './planted-objects.ts';
import { seeded } from './seeded.ts';

const apiVersion = 'projectcalico.org/v3';
const controllersProgram = join(import.meta.dirname, '..', '..', 'bin', 'calico-kube-controllers.ts');
const seed = Number(process.env.CALICO_SEED ?? 20261127);
const deadlineMs = 60_000;

test('agents with BGP and controllers live through whatever the store holds', async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = seeded(seed);
  const deaths: string[] = [];
  const cluster = await Cluster.start({
    id: `test-hostile-${process.pid}`,
    shape: { nodes: 2, bgp: { reflectors: 0 } },
    progress: { begin() {}, end() {} },
    signal: new AbortController().signal,
    report() {},
    agentDied: (message) => deaths.push(message),
  });
  const controllers = spawn(process.execPath, [controllersProgram], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      KUBECONFIG: cluster.kubeconfig,
      HEALTH_HOST: '127.0.0.1',
      HEALTH_PORT: '0',
    },
  });
  let words = '';
  controllers.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = `${words}${text}`.slice(-2_000);
  });
  controllers.on('exit', (code, signal) =>
    deaths.push(`calico-kube-controllers ended with ${signal ?? `exit code ${code}`}: ${words}`),
  );
  try {
    // Where the controllers' lease lives.
    await cluster.datastore.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'calico-system' },
    });
    const database = join(cluster.run.folder, 'api.sqlite');
    const withoutRange = { apiVersion, kind: 'IPPool', metadata: { name: 'no-range' }, spec: {} };
    const objects: HostileObject[] = [
      { kind: ipPools, object: withoutRange },
      ...Array.from(
        { length: 150 },
        (_, n) => hostileObject(n, random, n % 3 === 0 ? policyTemplates : networkTemplates),
        // The lab's kubelet would want to run hostile pods, and has nothing to do with what is tested here.
      ).filter(({ kind }) => kind.kind !== 'Pod'),
    ];
    await cluster.restartApi(async () => plantObjects(database, objects));
    // A client that has no connection of before.
    await using datastore = new Client(cluster.kubeconfig);
    await datastore.create(bgpPeers, {
      apiVersion,
      kind: 'BGPPeer',
      metadata: { name: 'sound' },
      spec: { peerIP: '172.30.0.77', asNumber: 65001 },
    });
    await datastore.create(ipPools, {
      apiVersion,
      kind: 'IPPool',
      metadata: { name: 'sound' },
      spec: { cidr: '10.77.0.0/24' },
    });
    await until(datastore, ipPools, 'the sound pool to give addresses', (pools) =>
      pools.some(
        ({ metadata, status }) => metadata.name === 'sound' && status?.conditions?.[0]?.status === 'True',
      ),
    );
    for (const node of ['node-1', 'node-2']) await birdKnows(cluster, node, '172.30.0.77', true);
    await datastore.delete(bgpPeers, { name: 'sound' });
    for (const node of ['node-1', 'node-2']) await birdKnows(cluster, node, '172.30.0.77', false);
    assert.deepEqual(deaths, []);
  } finally {
    if (controllers.exitCode === null && controllers.signalCode === null) {
      const ended = once(controllers, 'exit');
      controllers.kill('SIGTERM');
      await ended;
    }
    await cluster.stop();
  }
});

class Client extends KubernetesDatastore implements AsyncDisposable {
  constructor(kubeconfig: string) {
    super(accessFromKubeconfig(kubeconfig));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** BIRD's configuration is a file, which is looked at until it is as wanted. */
async function birdKnows(cluster: Cluster, node: string, neighbor: string, isWanted: boolean): Promise<void> {
  const { configuration } = bgpPaths(nodeRoot(cluster.run, node));
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const text = existsSync(configuration) ? readFileSync(configuration, 'utf8') : '';
    if (text.includes(`neighbor ${neighbor} `) === isWanted) return;
    if (performance.now() > giveUpAt) assert.fail(`BIRD of ${node} still has the configuration ${text}`);
    await delay(50);
  }
}
