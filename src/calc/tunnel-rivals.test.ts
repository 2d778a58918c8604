import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type IPAMBlock, type Node, nodeAnnotations } from '../resources/index.ts';
import { Calculator } from './calculator.ts';
import { type AnnouncedEnd, settleRivals, tunnelMac } from './tunnel-rivals.ts';

const announced = (node: string, tunnelAddress: string, mac: string, since = ''): AnnouncedEnd => ({
  node,
  since,
  end: { family: 4, nodeAddress: '172.30.0.9', tunnelAddress, mac },
});
const winners = (all: readonly AnnouncedEnd[], isHolder = (_node: string, _address: string) => false) =>
  [...settleRivals(all, isHolder).ends.keys()].sort();
const [one, other] = ['66:00:00:00:00:01', '66:00:00:00:00:02'];

test('ends that share nothing all count, and two nodes may have one address of the underlay', () => {
  const all = [announced('a', '10.0.0.1', one), announced('b', '10.0.0.2', other)];
  assert.deepEqual(winners(all), ['a/4', 'b/4']);
});

test('an address counts for the node to which a block gives it, whoever is older or first', () => {
  const all = [
    announced('a', '10.0.0.1', one, '2020-01-01T00:00:00Z'),
    announced('b', '10.0.0.1', other, '2026-01-01T00:00:00Z'),
  ];
  assert.deepEqual(
    winners(all, (node) => node === 'b'),
    ['b/4'],
  );
});

test('a MAC address counts for the node whose name makes it, then for the older, then for the first by name', () => {
  const mac = tunnelMac('b', 4);
  const of = (a: string, b: string) => [
    announced('a', '10.0.0.1', mac, a),
    announced('b', '10.0.0.2', mac, b),
  ];
  assert.deepEqual(winners(of('2020-01-01T00:00:00Z', '2026-01-01T00:00:00Z')), ['b/4']);
  const same = (a: string, b: string) => [
    announced('a', '10.0.0.1', one, a),
    announced('b', '10.0.0.2', one, b),
  ];
  assert.deepEqual(winners(same('2026-01-01T00:00:00Z', '2020-01-01T00:00:00Z')), ['b/4']);
  assert.deepEqual(winners(same('2026-01-01T00:00:00Z', '')), ['a/4']);
  assert.deepEqual(winners(same('', '')), ['a/4']);
});

test('no two ends that count share an address, each that does not is told of, and order changes nothing', () => {
  const few = (prefix: string) => fc.integer({ min: 0, max: 3 }).map((n) => `${prefix}${n}`);
  const ends = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 0, max: 20 }), few('10.0.0.'), few('66:00:00:00:00:0'), few('2026-01-0')),
    { selector: ([node]) => node, maxLength: 12 },
  );
  fc.assert(
    fc.property(ends, fc.func(fc.boolean()), fc.infiniteStream(fc.nat()), (list, isHolder, shuffle) => {
      const all = list.map(([node, ...rest]) => announced(`n${node}`, ...rest));
      const settled = settleRivals(all, isHolder);
      const counting = [...settled.ends.values()];
      assert.equal(new Set(counting.map(({ mac }) => mac)).size, counting.length);
      assert.equal(new Set(counting.map(({ tunnelAddress }) => tunnelAddress)).size, counting.length);
      assert.equal(counting.length + settled.faults.size, all.length);
      const keyed = all.map((end) => [Number(shuffle.next().value), end] as const);
      const shuffled = keyed.sort(([a], [b]) => a - b).map(([, end]) => end);
      assert.deepEqual(winners(shuffled, isHolder), [...settled.ends.keys()].sort());
    }),
  );
});

test("a node that announces what is another's is named and has no route, and the other keeps its own", () => {
  const faults: string[] = [];
  const calculator = new Calculator({ node: 'self', onFault: (fault) => faults.push(fault) });
  const apiVersion = 'projectcalico.org/v3';
  calculator.setPool({
    apiVersion,
    kind: 'IPPool',
    metadata: { name: 'p' },
    spec: { cidr: '10.1.0.0/16', vxlanMode: 'Always' },
  });
  const node = (name: string, tunnelAddress: string): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: {
        [nodeAnnotations.ipv4Address]: '172.30.0.12/24',
        [nodeAnnotations.ipv4VxlanTunnelAddress]: tunnelAddress,
        [nodeAnnotations.vxlanTunnelMac]: tunnelMac(name, 4),
      },
    },
  });
  const block = (cidr: string, owner: string): IPAMBlock => ({
    apiVersion,
    kind: 'IPAMBlock',
    metadata: { name: cidr },
    spec: {
      cidr,
      affinity: `host:${owner}`,
      allocations: [0, null, null, null],
      attributes: [{ handle_id: 'x', secondary: { node: owner, type: 'vxlanTunnelAddress' } }],
      unallocated: [1, 2, 3],
      strictAffinity: false,
    },
  });
  const held = () => [...calculator.state.routes.keys()].sort();
  calculator.setNode(node('sound', '10.1.2.0'));
  calculator.setBlock(block('10.1.2.0/30', 'sound'));
  calculator.setNode(node('bad', '10.1.2.0'));
  calculator.setBlock(block('10.1.1.0/30', 'bad'));
  calculator.takeChanges();
  assert.deepEqual(held(), ['10.1.2.0/30']);
  assert.deepEqual(faults, [
    'Cannot use the tunnel of Node "bad": its annotations say the tunnel address 10.1.2.0, which is that of Node "sound"; the way there is closed',
  ]);
  calculator.setBlock(block('10.1.3.0/30', 'sound'));
  calculator.takeChanges();
  assert.equal(faults.length, 1, 'told once');
  calculator.setNode(node('bad', '10.1.1.0'));
  assert.deepEqual([...calculator.takeChanges().tunnelEndpoints], ['bad/4']);
  assert.deepEqual(held(), ['10.1.1.0/30', '10.1.2.0/30', '10.1.3.0/30']);
});
