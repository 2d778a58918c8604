import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cidrOf, parseCidr } from '../net/index.ts';
import { blockName, blockNamed, blockSizeOf, type IPPool } from '../resources/index.ts';
import { blocksOf, fnv1 } from './block-search.ts';
import { affinityLabels, affinityName, handleName } from './names.ts';
import { nodeOwner } from './owner.ts';
import { noReservations } from './reservations.ts';

test('objects are named as Calico names them', () => {
  assert.equal(blockName(parseCidr('192.168.3.64/26')), '192-168-3-64-26');
  assert.equal(blockName(parseCidr('fd00:10::40/122')), 'fd00-10--40-122');
  assert.equal(affinityName('node-1', parseCidr('192.168.3.64/26')), 'node-1-192-168-3-64-26');
  assert.equal(handleName('k8s-pod-network.abc'), 'k8s-pod-network.abc');
});

test('the name of a block tells its range, and other names tell none', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(32, 128),
      fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
      fc.nat(128),
      (bits, value, length) => {
        const family = bits === 32 ? 4 : 6;
        const cidr = cidrOf({ family, value: value >> BigInt(128 - bits) }, Math.min(length, bits));
        assert.deepEqual(blockNamed(blockName(cidr)), cidr);
      },
    ),
  );
  for (const name of [
    '',
    'restored',
    '10-0-0-0',
    '10-0-0-1-26',
    '10-0-0-0-33',
    '1-2-3-4-5-26',
    'fd00--1-122',
    '010-0-0-0-26',
  ]) {
    assert.equal(blockNamed(name), undefined, name);
  }
});

test('handles that differ in case alone have a name each', () => {
  const names = ['net.abc', 'net.ABC', 'net.Abc'].map(handleName);
  assert.equal(new Set(names).size, 3);
  for (const name of names) assert.match(name, /^net\.abc(-[0-9a-f]{11})?$/);
});

test('handles of every ID that CNI allows have a name that Kubernetes allows, and no two the same', () => {
  const long = 'n'.repeat(300);
  const ids = [
    'my_net.abc',
    'my-net.abc',
    'my.-net.abc',
    'my..net.abc',
    'my.net.abc',
    'net.abc_',
    'net.abc-',
    'net.abc',
    '_.abc',
    `${long}.abc`,
    `${long}.abd`,
    'n'.repeat(253),
    'n'.repeat(254),
    '-',
    '_',
    '',
  ];
  const names = ids.map(handleName);
  assert.equal(new Set(names).size, ids.length);
  for (const name of names) {
    assert.match(name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
    assert.ok(name.length <= 253);
  }
});

test('names too long for an object are cut and stay apart', () => {
  const block = parseCidr('10.0.0.0/26');
  const names = ['a', 'b'].map((last) => affinityName('n'.repeat(250) + last, block));
  for (const name of names) assert.ok(name.length < 253);
  assert.notEqual(names[0], names[1]);
});

test('affinities carry the hash of their node, their type and their family', () => {
  // The hash was computed with Python's hashlib and base64.
  assert.deepEqual(affinityLabels(nodeOwner('node-1'), parseCidr('fd00::/122')), {
    'projectcalico.org/hostname-hash': 'A3XPYDATRKB7Q4SM2O5FN4RXIHBFIL2PITFX26BAIP5XAB2X74CA',
    'projectcalico.org/affinity-type': 'host',
    'projectcalico.org/ip-version': '6',
  });
});

test('a node starts its search at a place of its own', () => {
  assert.equal(fnv1(''), 0x811c9dc5);
  assert.equal(fnv1('node-1'), 568266919);
});

for (const [cidr, blockSize] of [
  ['10.0.0.0/22', 26],
  ['fd00::/118', 122],
] as const) {
  test(`the blocks of ${cidr} come up once each, in an order that differs between nodes`, () => {
    const pool: IPPool = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name: 'p' },
      spec: { cidr },
    };
    assert.equal(blockSizeOf(pool.spec), blockSize);
    const orders = ['a', 'b', 'c', 'd'].map((node) =>
      [...blocksOf(pool, node, noReservations, new Date(0))].map(blockName),
    );
    for (const order of orders) assert.equal(new Set(order).size, 16);
    assert.ok(new Set(orders.map((order) => order[0])).size > 1);
  });
}
