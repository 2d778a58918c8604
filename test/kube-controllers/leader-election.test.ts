import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { MemoryDatastore, UnavailableError } from '../../src/datastore/index.ts';
import { LeaderElection } from '../../src/kube-controllers/index.ts';
import { createLogger } from '../../src/process/index.ts';
import { leases } from '../../src/resources/index.ts';
import { until } from './until.ts';

const log = createLogger('test', 'silent');
const lease = { namespace: 'calico-system', name: 'test' };
/** Short enough to wait for, long enough for a busy machine to renew in. */
const times = { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 50 };
const candidates: Candidate[] = [];
afterEach(() => Promise.all(candidates.splice(0).map(({ election }) => election.stop())));

interface Candidate {
  readonly election: LeaderElection;
  readonly leads: Promise<void>;
  readonly lost: Promise<void>;
}

/** Everybody who acts at this moment. */
const acting = new Set<string>();

function stand(identity: string, datastore: MemoryDatastore): Candidate {
  const leads = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const election = new LeaderElection({
    datastore,
    lease,
    identity,
    log,
    ...times,
    onLead: () => {
      assert.deepEqual([...acting], [], `${identity} leads beside another`);
      acting.add(identity);
      leads.resolve();
    },
    onLost: async () => {
      acting.delete(identity);
      lost.resolve();
    },
  });
  election.start();
  const candidate = { election, leads: leads.promise, lost: lost.promise };
  candidates.push(candidate);
  return candidate;
}

test('of several candidates one leads, and one that stops is succeeded at once', async () => {
  const store = new MemoryDatastore();
  const all = ['a', 'b', 'c'].map((name) => stand(name, store));
  await Promise.race(all.map(({ leads }) => leads));
  const leader = all.find(({ election }) => election.isLeading);
  const others = all.filter((candidate) => candidate !== leader);
  assert.deepEqual(
    others.map(({ election }) => election.isLeading),
    [false, false],
  );
  await leader?.election.stop();
  await Promise.race(others.map(({ leads }) => leads));
  const [stored] = await store.list(leases);
  assert.equal(stored?.spec?.leaseTransitions, 1, 'given back, and taken');
});

test('a leader that is cut off stops before its lease runs out, and is succeeded after that', async () => {
  const store = new MemoryDatastore();
  let isCut = false;
  const line = new Proxy(store, {
    get: (target, property) => {
      if (isCut) return () => Promise.reject(new UnavailableError('Cut off'));
      const method: unknown = Reflect.get(target, property);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
  const first = stand('first', line);
  await first.leads;
  const second = stand('second', store);
  isCut = true;
  await first.lost;
  await second.leads;
  assert.deepEqual([...acting], ['second']);
  isCut = false;
});

test('a holder that nobody hears of any more is succeeded by our own clock, whatever times it wrote', async () => {
  const store = new MemoryDatastore();
  await store.create(leases, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: lease,
    spec: {
      holderIdentity: 'dead',
      leaseDurationSeconds: 1,
      renewTime: '2999-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
    },
  });
  const { leads } = stand('heir', store);
  await leads;
  const [stored] = await until(store, leases, 'the heir', ([held]) => held?.spec?.holderIdentity === 'heir');
  assert.equal(stored?.spec?.leaseTransitions, 5);
});
