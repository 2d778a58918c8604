// The kernel says no, or does not say that it said yes: what is enforced stays, and what was wanted comes in as soon as it can.
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, describe, test } from 'node:test';
import type { Changes, DesiredState } from '../../src/calc/index.ts';
import { LinuxDataplane, NftablesDataplane, type Way } from '../../src/dataplane/index.ts';
import { MemoryDatastore } from '../../src/datastore/index.ts';
import { Felix } from '../../src/felix/index.ts';
import {
  createNamespace,
  deleteNamespace,
  KernelError,
  Nftables,
  namespacePath,
  openNamespace,
  type Transaction,
  TransactionError,
} from '../../src/kernel/index.ts';
import { createLogger } from '../../src/process/index.ts';
import { kubernetesNetworkPolicies, namespaces, pods } from '../../src/resources/index.ts';
import { seeded } from './seeded.ts';

const table = { family: 'inet', name: 'calico' } as const;
const { EBUSY, ENOBUFS, ENOMEM, ENOSPC } = constants.errno;
const seed = Number(process.env.CALICO_SEED ?? 20261125);

/** What becomes of a commit: it is made, refused by its n-th message, not taken at all, or made without an answer. */
type Fate = 'made' | { refused: number } | { notTaken: number } | { unanswered: number };

/** The kernel's nf_tables, for which fate decides every commit that writes something. */
function fated(nftables: Nftables, fate: () => Fate): Nftables {
  return new Proxy(nftables, {
    get(target, name) {
      if (name !== 'commit') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (transaction: Transaction) => {
        const decided = fate();
        if (typeof decided === 'object' && 'refused' in decided)
          throw new TransactionError(transaction, [{ sequence: 0, errno: decided.refused }]);
        if (typeof decided === 'object' && 'notTaken' in decided)
          throw new KernelError('Cannot send netlink messages', decided.notTaken);
        target.commit(transaction);
        if (typeof decided === 'object') throw new KernelError('Cannot receive', decided.unanswered);
      };
    },
  });
}

describe('a kernel that refuses', () => {
  const name = `ct-${process.pid}-refuse`;
  let nftables: Nftables;
  before(() => {
    createNamespace(name);
    nftables = Nftables.open({ namespace: openNamespace(namespacePath(name)) });
  });
  after(() => {
    nftables?.close();
    deleteNamespace(name);
  });

  const options = (isolated: string[]) => ({
    logPrefix: 'calico-packet',
    endpointToHostAction: 'Accept' as const,
    forgetJudgements: async () => {},
    onTrouble: () => {},
    onIsolated: (objects: readonly string[]) => void isolated.push(...objects),
  });

  test('for want of memory or room, now and then, is asked again until everything is in, and nothing is closed for it', async (t) => {
    t.diagnostic(`seed ${seed} (CALICO_SEED)`);
    const random = seeded(seed);
    const fates: Fate[] = [
      ...[EBUSY, ENOBUFS, ENOMEM, ENOSPC].flatMap((errno) => [{ refused: errno }, { notTaken: errno }]),
      { unanswered: ENOBUFS },
    ];
    let refusals = 0;
    const kernel = fated(nftables, () => {
      if (random() < 0.75) return 'made';
      refusals++;
      return fates[Math.floor(random() * fates.length)] ?? 'made';
    });
    const isolated: string[] = [];
    const dataplane = new NftablesDataplane(kernel, options(isolated));
    let applied = Promise.withResolvers<void>();
    const datastore = new MemoryDatastore();
    await datastore.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } });
    const felix = new Felix({
      node: 'n',
      datastore,
      dataplane: {
        apply: (state: DesiredState, changes: Changes) => {
          dataplane.apply(state, changes);
          applied.resolve();
        },
        distrust: () => dataplane.distrust(),
      },
      log: createLogger('test', 'silent'),
    });
    felix.start();
    await felix.inSync;
    for (let round = 0; round < 12; round++) {
      applied = Promise.withResolvers();
      await datastore.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: 'a', name: `p${round}` },
        spec: { nodeName: 'n', containers: [] },
      });
      const ip = `10.0.0.${round + 1}`;
      const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }] };
      const key = { namespace: 'a', name: `p${round}` };
      await datastore.mergePatch(pods, key, { status }, { subresource: 'status' });
      await datastore.create(kubernetesNetworkPolicies, {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { namespace: 'a', name: `deny-${round}` },
        spec: { podSelector: {}, policyTypes: ['Ingress'] },
      });
      await applied.promise;
    }
    while (felix.isInDoubt || !nftables.listChains(table).some((chain) => chain.name.endsWith('deny-11')))
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(refusals > 2, `${refusals} refusals`);
    assert.deepEqual(isolated, []);
    felix.stop();
    await datastore.close();
    // What it has yet to write would meet the next test.
    await dataplane.settled();
  });

  test('to say that a generation was begun does not let its judgements pass for those of the next', async () => {
    const generations = () =>
      nftables.listElements(table, 'cali-judged').map(({ key }) => Buffer.from(key).readUInt32LE() >>> 17);
    const withPolicies = (...names: string[]) => ({
      ...empty(),
      policies: new Map(names.map((policy) => [policy, { ingress: [], egress: [] }])),
    });
    let fate: Fate = 'made';
    const dataplane = new NftablesDataplane(
      fated(nftables, () => fate),
      options([]),
    );
    dataplane.apply(withPolicies('p'), nothing);
    await dataplane.settled();
    const [first = 0] = generations();
    dataplane.apply(withPolicies('p', 'q'), { ...nothing, policies: new Set(['q']) });
    assert.deepEqual(generations(), []);
    fate = { unanswered: ENOBUFS };
    while (generations().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(generations(), [first + 1]);
    fate = 'made';
    dataplane.apply(withPolicies('q'), { ...nothing, policies: new Set(['p']) });
    assert.deepEqual(generations(), []);
    await dataplane.settled();
    assert.deepEqual(generations(), [first + 2]);
  });

  test('to begin a generation is asked again', async () => {
    const generations = () => nftables.listElements(table, 'cali-judged').length;
    // The table and its stamps, each time that it is in doubt what the kernel holds; then the generation.
    const all: Fate[] = ['made', 'made'];
    const stamps: Fate = 'made';
    const fates: Fate[] = [...all, { refused: ENOMEM }, stamps, { notTaken: ENOBUFS }, stamps, 'made'];
    const dataplane = new NftablesDataplane(
      fated(nftables, () => fates.shift() ?? 'made'),
      options([]),
    );
    dataplane.apply(empty(), nothing);
    await dataplane.settled();
    assert.deepEqual([generations(), fates.length], [1, 0]);
  });

  test('a way to other nodes is asked again, and holds up nothing else meanwhile', async () => {
    let isRefused = true;
    const way: Way = {
      family: 4,
      synchronise() {
        if (isRefused) throw new KernelError('Cannot add a route', EBUSY);
        return { changed: ['add a route'], lacking: [] };
      },
      contradicts: () => false,
    };
    const told: string[][] = [];
    const made = Promise.withResolvers<void>();
    const linux = new LinuxDataplane({
      nftables: new NftablesDataplane(nftables, options([])),
      overlays: [way],
      onOverlayFaults: (faults) => {
        told.push(faults.map(({ family, extent, sentence }) => `IPv${family} ${extent}: ${sentence}`));
        if (faults.length === 0) made.resolve();
      },
    });
    const datastore = new MemoryDatastore();
    const felix = new Felix({ node: 'n', datastore, dataplane: linux, log: createLogger('test', 'silent') });
    felix.start();
    await felix.inSync;
    await felix.detach({ namespace: 'a', pod: 'none' }, 'none');
    assert.equal(felix.isInDoubt, false);
    isRefused = false;
    await made.promise;
    assert.deepEqual(told, [['IPv4 all: Cannot add a route: EBUSY'], []]);
    linux.stop();
    felix.stop();
    await datastore.close();
  });
});

const nothing: Changes = {
  sets: new Map(),
  policies: new Set(['any']),
  endpoints: new Set(),
  hostEndpoints: new Set(),
  tunnelEndpoints: new Set(),
  routes: new Set(),
  network: new Set(),
};

function empty(): DesiredState {
  return {
    sets: new Map(),
    policies: new Map(),
    endpoints: new Map(),
    hostEndpoints: new Map(),
    tunnelEndpoints: new Map(),
    routes: new Map(),
    network: { pools: new Set(), masqueraded: new Set(), nodes: new Set(), services: new Set() },
  };
}
