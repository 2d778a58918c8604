// An agent that starts finds its predecessor's table: what is equal it leaves alone, what differs it writes, and only a
// table of another layout is replaced.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Changes, DesiredState, PolicyProgram } from '../../src/calc/index.ts';
import { NftablesDataplane } from '../../src/dataplane/index.ts';
import {
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
} from '../../src/kernel/index.ts';

const name = `ct-${process.pid}-take`;
const nothing: Changes = {
  sets: new Map(),
  policies: new Set(['any']),
  endpoints: new Set(),
  hostEndpoints: new Set(),
  tunnelEndpoints: new Set(),
  routes: new Set(),
  network: new Set(),
};

interface Shape {
  /** Members of each set, and how many networks it has besides. */
  readonly sets: Readonly<Record<string, { readonly members: number; readonly nets: number }>>;
  /** Ports that each policy allows. */
  readonly policies: Readonly<Record<string, readonly number[]>>;
  /** Policies of each endpoint; the first may be passed. */
  readonly endpoints: Readonly<Record<string, readonly string[]>>;
}

function stateOf({ sets, policies, endpoints }: Shape): DesiredState {
  const keys = Object.keys(policies);
  const ids = Object.keys(sets);
  const program = (key: string): PolicyProgram => ({
    ingress: (policies[key] ?? []).map((port, n) => {
      const set = ids[n % 2];
      return {
        action: 'Allow',
        origin: `rule ${n} of ${key}`,
        protocol: 6,
        source: set === undefined ? {} : { set },
        destination: { ports: [{ first: port, last: port + 1 }] },
      };
    }),
    egress: [],
  });
  return {
    sets: new Map(
      Object.entries(sets).map(([id, { members, nets }]) => [
        id,
        {
          kind: 'address' as const,
          members: new Set(Array.from({ length: members }, (_, n) => `10.${n >> 8}.${n & 255}.1`)),
          nets: new Set(Array.from({ length: nets }, (_, n) => `192.168.${2 * n}.0/${24 - (n % 2)}`)),
        },
      ]),
    ),
    policies: new Map(keys.map((key) => [key, program(key)])),
    endpoints: new Map(
      Object.entries(endpoints).map(([key, list]) => [
        key,
        {
          interfaceName: `cali${key}`,
          addresses: [`10.9.0.${key.length}`],
          ingress: [
            {
              name: 'default',
              policies: list
                .filter((policy) => keys.includes(policy))
                .map((policy, n) => ({ key: policy, passes: n === 0 })),
              defaultAction: 'Deny' as const,
            },
          ],
          egress: [],
          afterTiers: 'Allow' as const,
        },
      ]),
    ),
    hostEndpoints: new Map(),
    tunnelEndpoints: new Map(),
    routes: new Map(),
    network: { pools: new Set(), masqueraded: new Set(), nodes: new Set(), services: new Set() },
  };
}

const shape: Shape = {
  sets: { 's:one': { members: 5, nets: 2 }, 's:two': { members: 3, nets: 0 } },
  policies: { p: [80, 443], q: [53] },
  endpoints: { a: ['p', 'q'], bb: ['q'] },
};

describe("an agent that finds its predecessor's table", () => {
  let namespace: number;
  const open: Nftables[] = [];
  before(() => {
    createNamespace(name);
    namespace = openNamespace(namespacePath(name));
  });
  after(() => {
    for (const nftables of open) nftables.close();
    deleteNamespace(name);
  });

  /** A new agent; the one before is gone. */
  function start(
    owned = true,
    meddle: (kernel: Nftables) => void = () => {},
  ): { dataplane: NftablesDataplane; closed: string[]; forgotten: () => number } {
    for (const nftables of open.splice(0)) nftables.close();
    const nftables = Nftables.open({ namespace });
    meddle(nftables);
    open.push(nftables);
    const closed: string[] = [];
    let forgotten = 0;
    const dataplane = new NftablesDataplane(nftables, {
      endpointToHostAction: 'Accept',
      logPrefix: 'calico-packet',
      forgetJudgements: async () => {
        forgotten++;
      },
      onTrouble: (error) => assert.fail(String(error)),
      onIsolated: (objects) => closed.push(...objects),
      owned,
    });
    return { dataplane, closed, forgotten: () => forgotten };
  }

  /** All of the table with its handles, which change whenever an object is written anew. */
  const nft = (...args: string[]) =>
    execFileSync('nsenter', [`--net=${namespacePath(name)}`, 'nft', ...args], { encoding: 'utf8' });
  const listed = () => nft('-a', 'list', 'table', 'inet', 'calico').replace(/ # progname.*| flags .*/g, '');

  test('as it should be writes nothing at all', async () => {
    const first = start().dataplane;
    first.apply(stateOf(shape), nothing);
    await first.settled();
    const before = listed();
    const { dataplane, forgotten } = start();
    assert.match(before, /comment "calico-ts, layout/);
    dataplane.apply(stateOf(shape), nothing);
    await dataplane.settled();
    assert.equal(listed(), before);
    assert.equal(forgotten(), 0);
    assert.equal(await dataplane.audit(), undefined);
  });

  test('writes what has changed since, and keeps the rest as it is', async () => {
    const handle = (text: string, of: RegExp) => text.match(of)?.[1] ?? assert.fail(`no ${of}`);
    const before = listed();
    const { dataplane } = start();
    dataplane.apply(stateOf({ ...shape, policies: { ...shape.policies, q: [54] } }), nothing);
    const after = listed();
    for (const kept of [
      /chain cali-forward-egress \{ # handle (\d+)/,
      /rule 0 of p" # handle (\d+)/,
      /accept comment "sender is not here" # handle (\d+)/,
    ]) {
      assert.equal(handle(after, kept), handle(before, kept));
    }
    const changed = /rule 0 of q" # handle (\d+)/;
    assert.notEqual(handle(after, changed), handle(before, changed));
    assert.equal(await dataplane.audit(), undefined);
  });

  test('closes what cannot be programmed, and takes over the rest', async () => {
    const { dataplane, closed } = start();
    const state = stateOf(shape);
    const bad: PolicyProgram = {
      ingress: [{ action: 'Allow', origin: 'bad', source: { set: 's:gone' } }],
      egress: [],
    };
    dataplane.apply({ ...state, policies: new Map([...state.policies, ['p', bad]]) }, nothing);
    assert.deepEqual(closed, ['policy "p"']);
    assert.match(nft('list', 'chain', 'inet', 'calico', 'cali-pi-p'), /drop comment "closed/);
    assert.equal(await dataplane.audit(), undefined);
  });

  for (const [what, tear] of [
    ['another layout', ['add', 'table', 'inet', 'calico', '{ comment "calico-ts, layout 0"; }']],
    ['no layout', ['add', 'table', 'inet', 'calico']],
  ] as const) {
    test(`of ${what} replaces it, lets connections forget, and leaves no stand-in`, async () => {
      start();
      nft('delete', 'table', 'inet', 'calico');
      nft(...tear);
      nft('add', 'chain', 'inet', 'calico', 'old', '{ type filter hook forward priority -10; }');
      nft('add', 'set', 'inet', 'calico', 'cali-judged', '{ type mark; elements = { 0x70000 }; }');
      const { dataplane, forgotten } = start();
      dataplane.apply(stateOf(shape), nothing);
      await dataplane.settled();
      assert.equal(forgotten(), 1);
      assert.doesNotMatch(listed(), /chain old/);
      assert.doesNotMatch(nft('list', 'tables'), /stand-in/);
      assert.equal(await dataplane.audit(), undefined);
    });
  }

  test('of another layout goes on being enforced at every step until it is replaced, and whatever step is the last', async () => {
    const enforcing = () =>
      ['calico', 'calico-stand-in'].some((of) => {
        const tables = nft('list', 'tables');
        return tables.includes(`inet ${of}\n`) && nft('list', 'table', 'inet', of).includes('hook forward');
      });
    for (let steps = 0; ; steps++) {
      // The owner of the table before goes, so that others may change it.
      start();
      nft('delete', 'table', 'inet', 'calico');
      nft('add', 'table', 'inet', 'calico', '{ comment "calico-ts, layout 0"; }');
      nft('add', 'chain', 'inet', 'calico', 'old', '{ type filter hook forward priority -10; }');
      let left = steps;
      const dying = start(true, (kernel) => {
        const { commit } = kernel;
        kernel.commit = (transaction) => {
          assert.ok(enforcing(), `before the last of ${steps} steps`);
          if (left-- === 0) throw new Error('killed');
          commit.call(kernel, transaction);
          assert.ok(enforcing(), `after one of ${steps} steps`);
        };
      });
      let isKilled = false;
      try {
        dying.dataplane.apply(stateOf(shape), nothing);
      } catch (error) {
        isKilled = String(error).includes('killed');
        if (!isKilled) throw error;
      }
      left = Number.POSITIVE_INFINITY;
      await dying.dataplane.settled();
      const next = start().dataplane;
      next.apply(stateOf(shape), nothing);
      await next.settled();
      assert.ok(enforcing());
      assert.doesNotMatch(nft('list', 'tables'), /stand-in/);
      if (!isKilled) {
        assert.ok(steps >= 4, `${steps} steps`);
        return;
      }
    }
  });

  test('removes what stood in for it when an agent was killed at that very moment', () => {
    nft('add', 'table', 'inet', 'calico-stand-in');
    nft(
      'add',
      'chain',
      'inet',
      'calico-stand-in',
      'c',
      '{ type filter hook forward priority -10; policy drop; }',
    );
    start().dataplane.apply(stateOf(shape), nothing);
    assert.doesNotMatch(nft('list', 'tables'), /stand-in/);
  });

  test('makes it whole when an agent was killed between taking the old one out of force and the new one into it', async () => {
    start(false).dataplane.apply(stateOf(shape), nothing);
    const chains = [...listed().matchAll(/chain (\S+) \{ # handle \d+\n\t\ttype filter/g)].map(
      ([, chain]) => chain,
    );
    assert.ok(chains.length > 0);
    for (const chain of chains) nft('delete', 'chain', 'inet', 'calico', chain ?? '');
    nft('add', 'table', 'inet', 'calico-stand-in');
    const { dataplane } = start();
    dataplane.apply(stateOf(shape), nothing);
    assert.doesNotMatch(nft('list', 'tables'), /stand-in/);
    assert.equal(await dataplane.audit(), undefined);
  });

  test('of another process, alive, leaves it alone and says so', () => {
    const { dataplane } = start();
    dataplane.apply(stateOf(shape), nothing);
    const [owner] = open.splice(0);
    assert.throws(() => start().dataplane.apply(stateOf(shape), nothing), /another process owns it/);
    owner?.close();
  });

  test('arrives at the same table from any other', async () => {
    const ids = fc.constantFrom('s:one', 's:two', 's:three');
    const anyShape: fc.Arbitrary<Shape> = fc.record({
      sets: fc.dictionary(ids, fc.record({ members: fc.nat(300), nets: fc.nat(6) })),
      policies: fc.dictionary(
        fc.constantFrom('p', 'q', 'r'),
        fc.array(fc.constantFrom(53, 80, 443), { maxLength: 3 }),
      ),
      endpoints: fc.dictionary(
        fc.constantFrom('a', 'bb', 'ccc'),
        fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 3 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(anyShape, anyShape, fc.boolean(), async (first, second, owned) => {
        const one = start(owned);
        one.dataplane.apply(stateOf(first), nothing);
        const two = start(owned);
        two.dataplane.apply(stateOf(second), nothing);
        assert.equal(await two.dataplane.audit(), undefined);
        assert.deepEqual([one.closed, two.closed], [[], []]);
      }),
      { numRuns: 25 },
    );
  });
});
