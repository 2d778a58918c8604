// One object that cannot be programmed: it is closed and named, and everything else goes in.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Changes, DesiredState, PolicyProgram } from '../../src/calc/index.ts';
import { NftablesDataplane } from '../../src/dataplane/index.ts';
import {
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
} from '../../src/kernel/index.ts';

const name = `ct-${process.pid}-iso`;
const table = { family: 'inet', name: 'calico' } as const;
const open = { action: 'Allow', origin: 'test' } as const;

const good: PolicyProgram = { ingress: [open], egress: [] };
/** Its rule asks a set that nobody has made, which the kernel refuses. */
const refused: PolicyProgram = { ingress: [{ ...open, source: { set: 's:gone' } }], egress: [] };

function stateWith(
  policies: Record<string, PolicyProgram>,
  addresses = ['10.0.0.1'],
  members: string[] = [],
): DesiredState {
  const ingress = [
    {
      name: 'default',
      policies: Object.keys(policies).map((key) => ({ key, passes: false })),
      defaultAction: 'Deny' as const,
    },
  ];
  return {
    sets: new Map([
      ['s:one', { kind: 'address' as const, nets: new Set<string>(), members: new Set(members) }],
    ]),
    policies: new Map(Object.entries(policies)),
    endpoints: new Map([
      [
        't/a',
        {
          interfaceName: 'cali1',
          addresses: ['10.0.0.9'],
          ingress,
          egress: [],
          afterTiers: 'Allow' as const,
        },
      ],
      ['t/b', { interfaceName: 'cali2', addresses, ingress, egress: [], afterTiers: 'Allow' as const }],
    ]),
    hostEndpoints: new Map(),
    tunnelEndpoints: new Map(),
    routes: new Map(),
    network: { pools: new Set(), masqueraded: new Set(), nodes: new Set(), services: new Set() },
  };
}

const changed = (policies: string[]): Changes => ({
  sets: new Map(),
  policies: new Set(policies),
  endpoints: new Set(),
  hostEndpoints: new Set(),
  tunnelEndpoints: new Set(),
  routes: new Set(),
  network: new Set(),
});

describe('an object that cannot be programmed', () => {
  let nftables: Nftables;
  before(() => {
    createNamespace(name);
    nftables = Nftables.open({ namespace: openNamespace(namespacePath(name)) });
  });
  after(() => {
    nftables?.close();
    deleteNamespace(name);
  });

  const started: NftablesDataplane[] = [];
  // What one writes when connections may remember again, the next one must not find.
  afterEach(async () => {
    for (const dataplane of started.splice(0)) await dataplane.settled();
  });

  function start(): { dataplane: NftablesDataplane; closed: string[] } {
    const closed: string[] = [];
    const dataplane = new NftablesDataplane(nftables, {
      endpointToHostAction: 'Accept',
      logPrefix: 'calico-packet',
      forgetJudgements: async () => {},
      onTrouble: (error) => assert.fail(String(error)),
      onIsolated: (objects) => closed.push(...objects),
    });
    started.push(dataplane);
    return { dataplane, closed };
  }

  const verdictsOf = (chain: string) =>
    nftables
      .listRules(table)
      .filter((rule) => rule.chain === chain)
      .map(({ expressions }) => {
        const last = expressions.at(-1);
        if (last?.kind !== 'verdict') return last?.kind;
        const { verdict } = last;
        // Where the node's settings say how what is denied ends.
        return 'chain' in verdict && verdict.chain === 'cali-deny' ? 'drop' : verdict.code;
      });

  test('as a policy that the kernel refuses is closed alone, and opens again when it is mended', () => {
    const { dataplane, closed } = start();
    dataplane.apply(stateWith({ good, bad: refused }), changed(['good', 'bad']));
    assert.deepEqual(closed, ['policy "bad"']);
    assert.deepEqual(verdictsOf('cali-pi-bad'), ['drop']);
    assert.notDeepEqual(verdictsOf('cali-pi-good'), ['drop']);
    dataplane.apply(stateWith({ good, bad: good }), changed(['bad']));
    assert.notDeepEqual(verdictsOf('cali-pi-bad'), ['drop']);
    assert.deepEqual(closed, ['policy "bad"']);
  });

  test('as a policy that turns bad later is closed without the others noticing', () => {
    const { dataplane, closed } = start();
    dataplane.apply(stateWith({ good, bad: good }), changed(['good', 'bad']));
    dataplane.apply(stateWith({ good, bad: refused }), changed(['bad']));
    assert.deepEqual(closed, ['policy "bad"']);
    assert.deepEqual(verdictsOf('cali-pi-bad'), ['drop']);
  });

  test('as an endpoint whose address is none is closed alone', () => {
    const { dataplane, closed } = start();
    dataplane.apply(stateWith({ good }, ['not an address']), changed(['good']));
    assert.deepEqual(closed, ['endpoint "t/b"']);
    assert.deepEqual(verdictsOf('cali-tw-cali2'), ['drop']);
    assert.notDeepEqual(verdictsOf('cali-tw-cali1'), ['drop']);
  });

  test('as a set with a member that is no address closes the policies that ask it, and no others', () => {
    const { dataplane, closed } = start();
    const asking: PolicyProgram = {
      ingress: [{ ...open, action: 'Deny', source: { set: 's:one' } }, open],
      egress: [],
    };
    dataplane.apply(
      stateWith({ good, asking }, ['10.0.0.1'], ['10.0.0.5', 'nonsense']),
      changed(['good', 'asking']),
    );
    assert.deepEqual(closed, ['set "s:one"', 'policy "asking"']);
    assert.deepEqual(verdictsOf('cali-pi-asking'), ['drop']);
    assert.notDeepEqual(verdictsOf('cali-pi-good'), ['drop']);
  });

  test('costs the changes of others nothing, and its own mending no more than itself', async (t) => {
    const { dataplane, closed } = start();
    const asking: PolicyProgram = { ingress: [{ ...open, source: { set: 's:one' } }], egress: [] };
    const first = { good, bad: refused, asking };
    dataplane.apply(stateWith(first, ['not an address'], ['nonsense']), changed(Object.keys(first)));
    assert.deepEqual(closed.toSorted(), ['endpoint "t/b"', 'policy "asking"', 'policy "bad"', 'set "s:one"']);
    const readings = t.mock.method(nftables, 'listRules');
    const step = async (
      policies: Record<string, PolicyProgram>,
      [addresses, members]: readonly [string[], string[]],
      changes: Partial<Changes>,
    ) => {
      const before = readings.mock.callCount();
      dataplane.apply(stateWith(policies, addresses, members), { ...changed([]), ...changes });
      assert.equal(readings.mock.callCount(), before, 'the table is not read, nor compared');
      assert.equal(await dataplane.audit(), undefined);
    };
    const set = (added: string[], removed: string[] = []) =>
      new Map([['s:one', { added, removed, netsChanged: false }]]);
    const wrong = ['not an address'];

    const others = { ...first, other: good, blind: asking };
    await step(others, [wrong, ['nonsense']], {
      policies: new Set(['other', 'blind']),
      endpoints: new Set(['t/a']),
    });
    assert.notDeepEqual(verdictsOf('cali-pi-other'), ['drop']);
    assert.deepEqual(verdictsOf('cali-pi-blind'), ['drop'], 'it asks a set that is closed');
    await step({ ...others, bad: good }, [wrong, ['nonsense']], { policies: new Set(['bad']) });
    assert.notDeepEqual(verdictsOf('cali-pi-bad'), ['drop']);
    await step({ ...others, bad: good }, [['10.0.0.1'], ['nonsense']], { endpoints: new Set(['t/b']) });
    assert.notDeepEqual(verdictsOf('cali-tw-cali2'), ['drop']);
    await step({ ...others, bad: good }, [['10.0.0.1'], ['10.0.0.5']], {
      sets: set(['10.0.0.5'], ['nonsense']),
    });
    for (const chain of ['cali-pi-asking', 'cali-pi-blind'])
      assert.notDeepEqual(verdictsOf(chain), ['drop'], chain);
    assert.equal(closed.length, 4);
  });
});
