// The metrics of address management, read where Prometheus reads them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { MemoryDatastore } from '../../src/datastore/index.ts';
import { IpamClient } from '../../src/ipam/index.ts';
import { KubeControllers } from '../../src/kube-controllers/index.ts';
import { createLogger } from '../../src/process/index.ts';
import {
  kubeControllersConfigurations as configurations,
  ipReservations,
  type KubeControllersConfiguration,
  nodes,
} from '../../src/resources/index.ts';
import { podRequest, smallPool, storeWith } from '../ipam/cluster.ts';

const apiVersion = 'projectcalico.org/v3';
const deadlineMs = 20_000;
const running: KubeControllers[] = [];
afterEach(() => Promise.all(running.splice(0).map((program) => program.stop())));

type Controllers = KubeControllersConfiguration['spec']['controllers'];

/** A value for each name with its labels, as in the text format: 'ipam_blocks{ippool="p",node="node-1"}'. */
type Figures = Readonly<Record<string, number>>;

class Program {
  readonly #store: MemoryDatastore;
  readonly #port: number;

  private constructor(store: MemoryDatastore, port: number) {
    this.#store = store;
    this.#port = port;
  }

  static async start(store: MemoryDatastore, controllers: Controllers): Promise<Program> {
    const port = await freePort();
    await store.create(configurations, {
      apiVersion,
      kind: 'KubeControllersConfiguration',
      metadata: { name: 'default' },
      spec: { logSeverityScreen: 'None', prometheusMetricsPort: port, controllers },
    });
    const options = {
      kubeconfig: undefined,
      namespace: 'calico-system',
      identity: 'here',
      health: { host: '127.0.0.1', port: 0 },
    };
    running.push(new KubeControllers(options, {}, store, createLogger('test', 'silent')));
    return new Program(store, port);
  }

  async configure(controllers: object): Promise<void> {
    await this.#store.mergePatch(configurations, { name: 'default' }, { spec: { controllers } });
  }

  /** What is served of address management, once it is as wanted. */
  async until(what: string, isSo: (figures: Figures) => boolean): Promise<Figures> {
    const deadline = performance.now() + deadlineMs;
    for (let figures: Figures = {}; ; await pause(20)) {
      const text = await fetch(`http://127.0.0.1:${this.#port}/metrics`).then(
        (response) => response.text(),
        // Not served yet.
        () => '',
      );
      figures = Object.fromEntries(
        text
          .split('\n')
          .filter((line) => line.startsWith('ipam_'))
          .map((line): [string, number] => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]),
      );
      if (isSo(figures)) return figures;
      if (performance.now() > deadline) {
        throw new Error(`Still waiting for ${what}: ${JSON.stringify(figures, null, 1)}`);
      }
    }
  }
}

async function freePort(): Promise<number> {
  await using server = createServer();
  await once(server.listen(0), 'listening');
  return (server.address() as AddressInfo).port;
}

/** One address for a pod of node-1, whose block it is. */
async function oneAddress(): Promise<MemoryDatastore> {
  const store = await storeWith({ p: smallPool[4] });
  for (const name of ['node-1', 'node-2'])
    await store.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  await new IpamClient(store).autoAssign(podRequest(4, 'first', 'node-1'));
  return store;
}

const candidates = 'ipam_allocations_gc_candidates';
const inUse = 'ipam_allocations_in_use{ippool="p",node="node-1"}';

test('every metric of the documentation is served, with its value', async () => {
  const store = await oneAddress();
  const ipam = new IpamClient(store);
  const [second] = await ipam.autoAssign(podRequest(4, 'second', 'node-1'));
  assert.ok(second);
  const lastOfBlock = { family: second.family, value: second.value | 7n };
  await ipam.assignAddress({ ...podRequest(4, 'guest', 'node-2'), address: lastOfBlock });
  await store.create(ipReservations, {
    apiVersion,
    kind: 'IPReservation',
    metadata: { name: 'r' },
    spec: { reservedCIDRs: ['10.0.0.32/30', '10.0.1.0/24'] },
  });
  const program = await Program.start(store, { node: { reconcilerPeriod: '1h', leakGracePeriod: '1h' } });
  const figures = await program.until('figures', (all) => inUse in all);
  const [pool, reclamations] = ['{ippool="p"}', 'ipam_allocations_gc_reclamations'];
  const of = (node: string) => `{ippool="p",node="${node}"}`;
  const wanted = {
    [`ipam_allocations_in_use${of('node-1')}`]: 2,
    [`ipam_allocations_in_use${of('node-2')}`]: 1,
    [`ipam_allocations_borrowed${of('node-1')}`]: 0,
    [`ipam_allocations_borrowed${of('node-2')}`]: 1,
    [`ipam_blocks${of('node-1')}`]: 1,
    [`ipam_blocks${of('node-2')}`]: 0,
    'ipam_allocations_per_node{node="node-1"}': 2,
    'ipam_allocations_per_node{node="node-2"}': 1,
    'ipam_allocations_borrowed_per_node{node="node-1"}': 0,
    'ipam_allocations_borrowed_per_node{node="node-2"}': 1,
    'ipam_blocks_per_node{node="node-1"}': 1,
    'ipam_blocks_per_node{node="node-2"}': 0,
    [`ipam_ippool_size${pool}`]: 64,
    [`ipam_ippool_reserved${pool}`]: 4,
    // Of three pods that do not exist.
    ipam_allocations_gc_candidates: 3,
    [`${reclamations}{outcome="collected"}`]: 0,
    [`${reclamations}{outcome="failed"}`]: 0,
  };
  assert.deepEqual(figures, wanted);

  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'kube-controllers.md'), 'utf8');
  const documented = new Set([...page.matchAll(/`(ipam_\w+)`/g)].map(([, name]) => name));
  assert.deepEqual(documented, new Set(Object.keys(wanted).map((name) => name.replace(/\{.*/, ''))));

  await program.configure({ node: { leakGracePeriod: '1s' } });
  const collected = await program.until('what was left behind to be collected', (all) => all[inUse] === 0);
  assert.equal(collected[`${reclamations}{outcome="collected"}`], 3);
});

test('figures follow within the period of the reconciler, however long the grace is', async () => {
  const store = await oneAddress();
  const program = await Program.start(store, { node: { reconcilerPeriod: '100ms', leakGracePeriod: '1h' } });
  await program.until('one in use', (all) => all[inUse] === 1);
  await new IpamClient(store).autoAssign(podRequest(4, 'second', 'node-1'));
  await program.until('two in use', (all) => all[inUse] === 2);
});

test('what is left behind goes soon after its grace, however long the period of the reconciler is', async () => {
  const program = await Program.start(await oneAddress(), {
    node: { reconcilerPeriod: '1h', leakGracePeriod: '200ms' },
  });
  await program.until('nothing in use', (all) => all[inUse] === 0);
});

test('figures follow where neither grace nor period is set', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const store = await oneAddress();
  const program = await Program.start(store, { node: { reconcilerPeriod: '0s', leakGracePeriod: '0s' } });
  await program.until('one in use', (all) => all[inUse] === 1);
  await new IpamClient(store).autoAssign(podRequest(4, 'second', 'node-1'));
  t.mock.timers.tick(300_000);
  await program.until('two in use', (all) => all[inUse] === 2);
});

test('nobody is shown figures that nobody keeps up to date', async () => {
  const program = await Program.start(await oneAddress(), { node: {} });
  await program.until('one to collect', (all) => all[inUse] === 1 && all[candidates] === 1);
  await program.configure({ node: { leakGracePeriod: '0s' } });
  await program.until('nothing to collect', (all) => all[inUse] === 1 && all[candidates] === 0);
  await program.configure({ node: null });
  await program.until('no figures', (all) => !(inUse in all));
});
