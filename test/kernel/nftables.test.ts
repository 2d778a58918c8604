// nf_tables over netlink, with `nft` as other eyes: it reads what we wrote, and we read what it wrote.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  createNamespace,
  deleteNamespace,
  type Element,
  type Expression,
  type KeyType,
  Nftables,
  namespacePath,
  openNamespace,
  registers,
  Transaction,
  TransactionError,
} from '../../src/kernel/index.ts';

const name = `ct-${process.pid}-nft`;
const table = { family: 'inet', name: 'test' } as const;
const register = registers.wide(0);

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

/** Expressions that the kernel takes one by one, each as we would write it. */
const expressions: fc.Arbitrary<Expression> = fc.oneof(
  record({
    kind: fc.constant('payload' as const),
    base: fc.constantFrom('link' as const, 'network' as const, 'transport' as const),
    offset: fc.nat(40),
    length: fc.constantFrom(1, 2, 4, 16),
    to: fc.constant(register),
  }),
  record({
    kind: fc.constant('meta' as const),
    key: fc.constantFrom(
      'protocol' as const,
      'mark' as const,
      'iif' as const,
      'oifname' as const,
      'nfproto' as const,
      'l4proto' as const,
    ),
    to: fc.constant(register),
  }),
  record({
    kind: fc.constant('meta set' as const),
    key: fc.constant('mark' as const),
    from: fc.constant(register),
  }),
  record({
    kind: fc.constant('ct' as const),
    key: fc.constantFrom('state' as const, 'direction' as const, 'status' as const, 'mark' as const),
    to: fc.constant(register),
  }),
  record({
    kind: fc.constant('ct tuple' as const),
    key: fc.constantFrom(
      'proto-src' as const,
      'proto-dst' as const,
      'ip saddr' as const,
      'ip6 daddr' as const,
    ),
    direction: fc.constantFrom('original' as const, 'reply' as const),
    to: fc.constant(register),
  }),
  fc.constant<Expression>({ kind: 'ct tuple', key: 'protocol', direction: 'original', to: register }),
  record({
    kind: fc.constant('ct set' as const),
    key: fc.constant('mark' as const),
    from: fc.constant(register),
  }),
  fc
    .tuple(
      fc.constantFrom('==' as const, '!=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const),
      fc.constantFrom(1, 2, 4, 16),
    )
    .chain(([comparison, length]) =>
      bytes(length).map((value) => ({ kind: 'cmp' as const, comparison, register, value })),
    ),
  fc
    .constantFrom(4, 16)
    .chain((length) =>
      fc
        .tuple(bytes(length), bytes(length))
        .map(([mask, xor]) => ({ kind: 'bitwise' as const, from: register, to: register, mask, xor })),
    ),
  fc
    .constantFrom(4, 16)
    .chain((length) => bytes(length).map((value) => ({ kind: 'immediate' as const, to: register, value }))),
  fc
    .constantFrom<['network' | 'transport', number?]>(['network', 10], ['network'], ['transport', 16])
    .map(([base, checksumAt]) => ({
      kind: 'payload set' as const,
      base,
      offset: 0,
      length: 2,
      from: register,
      ...(checksumAt !== undefined && { checksumAt }),
    })),
  fc
    .tuple(fc.bigInt(1n, 1n << 20n), fc.constantFrom(1n, 60n, 86_400n), fc.nat(1000), fc.boolean())
    .map(([rate, seconds, burst, isOver]) => ({
      kind: 'limit' as const,
      rate,
      seconds,
      burst: burst + 1,
      unit: 'packets' as const,
      ...(isOver && { isOver }),
    })),
  fc.record(
    {
      kind: fc.constant('counter' as const),
      packets: fc.bigInt(0n, 1n << 40n),
      bytes: fc.bigInt(0n, 1n << 40n),
    },
    { noNullPrototype: true },
  ),
);

function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** Loads the register that the expression reads, so that the kernel need not refuse one that was never written. */
const loaded: Expression = { kind: 'immediate', to: register, value: new Uint8Array(16) };

describe('nf_tables', () => {
  let namespace: number;
  let nftables: Nftables;

  before(() => {
    createNamespace(name);
    namespace = openNamespace(namespacePath(name));
    nftables = Nftables.open({ namespace });
  });
  after(() => {
    nftables?.close();
    deleteNamespace(name);
  });
  beforeEach(() => {
    const transaction = new Transaction(table);
    transaction.addTable();
    transaction.deleteTable();
    transaction.addTable();
    nftables.commit(transaction);
  });

  function nft(...args: string[]): string {
    return execFileSync('nsenter', [`--net=${namespacePath(name)}`, 'nft', ...args], { encoding: 'utf8' });
  }

  function nftFile(script: string): void {
    execFileSync('nsenter', [`--net=${namespacePath(name)}`, 'nft', '-f', '-'], { input: script });
  }

  function commit(build: (transaction: Transaction) => void): void {
    const transaction = new Transaction(table);
    build(transaction);
    nftables.commit(transaction);
  }

  test('an expression comes back from the kernel as it was written', () => {
    commit((transaction) => transaction.addChain({ name: 'c' }));
    fc.assert(
      fc.property(fc.array(expressions, { minLength: 1, maxLength: 6 }), (written) => {
        commit((transaction) => {
          transaction.flushChain('c');
          transaction.addRule({ chain: 'c', expressions: [loaded, ...written] });
        });
        const [rule] = nftables.listRules(table);
        assert.deepEqual(rule?.expressions, [loaded, ...written]);
      }),
      { numRuns: 200 },
    );
  });

  test('translations, rejections and limits of connections come back as they were written, and nft reads them', () => {
    const hook = (type: 'filter' | 'nat', place: 'postrouting' | 'prerouting' | 'forward') =>
      ({ type, hook: place, priority: 0, policy: 'accept' }) as const;
    const [first, second, third] = [5, 6, 7].map((n) => registers.narrow(n)) as [number, number, number];
    const port = (to: number, value: number): Expression => ({
      kind: 'immediate',
      to,
      value: Uint8Array.of(value >> 8, value & 255),
    });
    const address: Expression = { kind: 'immediate', to: third, value: Uint8Array.of(10, 0, 0, 1) };
    const isIpv4: Expression[] = [
      { kind: 'meta', key: 'nfproto', to: register },
      { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(2) },
    ];
    const isTcp: Expression[] = [
      { kind: 'meta', key: 'l4proto', to: register },
      { kind: 'cmp', comparison: '==', register, value: Uint8Array.of(6) },
    ];
    const ports = { portMin: first, portMax: second };
    const rules: [chain: string, expressions: Expression[], text: string][] = [
      ['post', [{ kind: 'masq' }], 'masquerade'],
      ['post', [{ kind: 'masq', isRandom: true }], 'masquerade fully-random'],
      [
        'post',
        [...isTcp, port(first, 20000), port(second, 20010), { kind: 'masq', ...ports }],
        'masquerade to :20000-20010',
      ],
      [
        'post',
        [...isIpv4, address, { kind: 'nat', side: 'source', family: 4, address: third }],
        'snat ip to 10.0.0.1',
      ],
      [
        'pre',
        [...isIpv4, address, { kind: 'nat', side: 'destination', family: 4, address: third }],
        'dnat ip to 10.0.0.1',
      ],
      ['fwd', [...isTcp, { kind: 'reject', by: 'tcp reset' }], 'reject with tcp reset'],
      ['fwd', [{ kind: 'reject', by: 'port unreachable' }], 'reject'],
      ['fwd', [{ kind: 'connlimit', count: 3, isOver: true }], 'ct count over 3'],
    ];
    commit((transaction) => {
      transaction.addChain({ name: 'post', hook: hook('nat', 'postrouting') });
      transaction.addChain({ name: 'pre', hook: hook('nat', 'prerouting') });
      transaction.addChain({ name: 'fwd', hook: hook('filter', 'forward') });
      for (const [chain, expressions] of rules) transaction.addRule({ chain, expressions });
    });
    for (const chain of ['post', 'pre', 'fwd']) {
      assert.deepEqual(
        nftables
          .listRules(table)
          .filter((rule) => rule.chain === chain)
          .map(({ expressions: read }) => read),
        rules.filter(([name]) => name === chain).map(([, written]) => written),
      );
    }
    const listing = nft('list', 'table', 'inet', 'test');
    for (const [, , text] of rules)
      assert.ok(listing.includes(text), `nft does not say "${text}":\n${listing}`);
  });

  test('elements of every type of key come back as they were written', () => {
    const keys: [KeyType[], number][] = [
      [['ipv4_addr'], 4],
      [['ipv6_addr'], 16],
      [['inet_service'], 2],
      [['mark'], 4],
      [['ifname'], 16],
      [['ipv4_addr', 'inet_proto', 'inet_service'], 12],
      [['ifname', 'ipv6_addr'], 32],
    ];
    for (const [key, length] of keys) {
      const set = { name: `s-${key.join('-')}`, key };
      commit((transaction) => transaction.addSet(set));
      fc.assert(
        fc.property(fc.uniqueArray(bytes(length), { maxLength: 20, selector: String }), (written) => {
          const elements = written.map((bytesOfKey) => ({ key: bytesOfKey }));
          commit((transaction) => transaction.addElements(set, elements));
          const sorted = (list: readonly Element[]) => list.map(({ key: k }) => k.toString()).sort();
          assert.deepEqual(sorted(nftables.listElements(table, set.name)), sorted(elements));
          commit((transaction) => transaction.deleteElements(set, elements));
          assert.deepEqual(nftables.listElements(table, set.name), []);
        }),
        { numRuns: 20 },
      );
    }
  });

  test('nft reads what we wrote', () => {
    const services = { name: 'services', key: ['ipv4_addr', 'inet_proto', 'inet_service'] as KeyType[] };
    const nets = { name: 'nets', key: ['ipv4_addr'] as KeyType[], interval: true };
    const dispatch = { name: 'dispatch', key: ['ifname'] as KeyType[], verdicts: true };
    commit((transaction) => {
      transaction.addChain({
        name: 'base',
        hook: { type: 'filter', hook: 'forward', priority: -10, policy: 'drop' },
      });
      transaction.addChain({ name: 'pod' });
      for (const set of [services, nets, dispatch]) transaction.addSet(set);
      transaction.addElements(services, [{ key: Uint8Array.from([10, 0, 0, 1, 6, 0, 0, 0, 0, 80, 0, 0]) }]);
      transaction.addElements(nets, [
        { key: Uint8Array.of(10, 0, 0, 0) },
        { key: Uint8Array.of(10, 0, 1, 0), isEnd: true },
      ]);
      transaction.addElements(dispatch, [
        {
          key: Uint8Array.from(Buffer.from('cali1'.padEnd(16, '\0'))),
          verdict: { code: 'goto', chain: 'pod' },
        },
      ]);
      transaction.addRule({
        chain: 'base',
        comment: 'spec.ingress[0]',
        expressions: [
          { kind: 'meta', key: 'oifname', to: register },
          { kind: 'lookup', set: 'dispatch', register, to: registers.verdict },
        ],
      });
      transaction.addRule({
        chain: 'pod',
        expressions: [
          { kind: 'ct tuple', key: 'ip saddr', direction: 'original', to: register },
          { kind: 'lookup', set: 'nets', register, invert: true },
          { kind: 'verdict', verdict: { code: 'drop' } },
        ],
      });
    });
    const listing = nft('list', 'table', 'inet', 'test');
    for (const line of [
      'type filter hook forward priority filter - 10; policy drop;',
      'oifname vmap @dispatch comment "spec.ingress[0]"',
      'ct original ip saddr != @nets drop',
      'elements = { 10.0.0.1 . tcp . 80 }',
      'elements = { 10.0.0.0/24 }',
      'elements = { "cali1" : goto pod }',
    ]) {
      assert.ok(listing.includes(line), `nft does not say "${line}":\n${listing}`);
    }
  });

  test('we read what nft wrote', () => {
    nftFile(`
      table inet test {
        set ports { type inet_service; flags interval; elements = { 80, 90-95 }; }
        map verdicts { type ipv4_addr : verdict; elements = { 10.0.0.1 : drop, 10.0.0.2 : jump c }; }
        chain c { tcp dport 80 counter packets 3 bytes 4 accept comment "web"; }
        chain b { type nat hook postrouting priority 100; policy accept; ip daddr 10.0.0.0/8 return; masquerade; }
      }`);
    assert.deepEqual(nftables.listChains(table), [
      { name: 'c' },
      { name: 'b', hook: { type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' } },
    ]);
    const rules = nftables.listRules(table);
    assert.deepEqual(rules[0]?.expressions, [
      { kind: 'meta', key: 'l4proto', to: 1 },
      { kind: 'cmp', comparison: '==', register: 1, value: Uint8Array.of(6) },
      { kind: 'payload', base: 'transport', offset: 2, length: 2, to: 1 },
      { kind: 'cmp', comparison: '==', register: 1, value: Uint8Array.of(0, 80) },
      { kind: 'counter', packets: 3n, bytes: 4n },
      { kind: 'verdict', verdict: { code: 'accept' } },
    ]);
    assert.equal(rules[0]?.comment, 'web');
    assert.deepEqual(
      rules[2]?.expressions.map((expression) => [expression.kind, 'name' in expression && expression.name]),
      [['masq', false]],
    );
    assert.deepEqual(
      nftables
        .listSets(table)
        .map(({ name: set, key, interval, verdicts }) => [set, key, interval, verdicts]),
      [
        ['ports', ['inet_service'], true, undefined],
        ['verdicts', ['ipv4_addr'], undefined, true],
      ],
    );
    const verdicts = nftables
      .listElements(table, 'verdicts')
      .map(({ key, verdict }) => [key.join('.'), verdict]);
    assert.deepEqual(
      new Map(verdicts as [string, unknown][]),
      new Map<string, unknown>([
        ['10.0.0.1', { code: 'drop' }],
        ['10.0.0.2', { code: 'jump', chain: 'c' }],
      ]),
    );
  });

  test('a transaction that fails changes nothing, and says what was refused', () => {
    const set = { name: 'present', key: ['ipv4_addr'] as KeyType[] };
    assert.throws(
      () =>
        commit((transaction) => {
          transaction.addSet(set);
          transaction.addChain({ name: 'c' });
          transaction.addRule({
            chain: 'c',
            expressions: [{ kind: 'verdict', verdict: { code: 'jump', chain: 'absent' } }],
          });
        }),
      (error) =>
        error instanceof TransactionError && /Cannot add a rule to chain "c": ENOENT/.test(error.message),
    );
    assert.deepEqual([nftables.listSets(table), nftables.listChains(table)], [[], []]);
  });

  test('a hundred thousand elements go into a set in one transaction', () => {
    const set = { name: 'large', key: ['ipv4_addr'] as KeyType[] };
    const elements = Array.from({ length: 100_000 }, (_, i) => ({
      key: Uint8Array.of(10, i >>> 16, (i >>> 8) & 255, i & 255),
    }));
    commit((transaction) => {
      transaction.addSet(set);
      transaction.addElements(set, elements);
    });
    assert.equal(nftables.listElements(table, 'large').length, 100_000);
  });

  test('listing what is not there finds nothing', () => {
    const absent = { family: 'inet', name: 'absent' } as const;
    assert.deepEqual(
      [nftables.listRules(absent), nftables.listSets(absent), nftables.listElements(table, 'absent')],
      [[], [], []],
    );
  });
});
