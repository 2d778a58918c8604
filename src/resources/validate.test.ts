import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  felixConfigurations,
  type IPPool,
  type IPPoolSpec,
  ipamBlocks,
  ipamConfigurations,
  ipPools,
  pods,
  validate,
  withDefaults,
} from './index.ts';

function pool(spec: object): IPPool {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'p' },
    spec: spec as IPPoolSpec,
  };
}

function faultsOf(spec: object, old?: object): string[] {
  return validate(ipPools, pool(spec), old && pool(old)).map(({ path, message }) => `${path} ${message}`);
}

test('a pool of defaults is without fault', () => {
  assert.deepEqual(faultsOf({ cidr: '192.168.0.0/16' }), []);
  assert.deepEqual(faultsOf({ cidr: 'fd00:10::/48', blockSize: 122 }), []);
});

test('every fault is reported, not only the first', () => {
  assert.deepEqual(
    faultsOf({ cidr: '10.0.0.300/8', vxlanMode: 'Sometimes', natOutgoing: 'yes', blockSize: 300 }),
    [
      'spec.cidr must be a CIDR, such as "10.0.0.0/8" or "fd00::/64"',
      'spec.vxlanMode must be one of "Never", "Always", "CrossSubnet"',
      'spec.natOutgoing must be true or false',
      'spec.blockSize must be from 0 to 128',
    ],
  );
});

test('a misspelled field is a fault that names its neighbour', () => {
  assert.deepEqual(faultsOf({ cidr: '10.0.0.0/8', natOutgoin: true }), [
    'spec.natOutgoin is not a known field; did you mean "natOutgoing"?',
  ]);
});

test('what is missing is named', () => {
  assert.deepEqual(faultsOf({}), ['spec.cidr is required']);
});

test('an object that was never given a spec lacks one', () => {
  const { spec: _spec, ...bare } = pool({});
  assert.deepEqual(
    validate(ipPools, bare as IPPool).map(({ path, message }) => `${path} ${message}`),
    ['spec is required'],
  );
});

const rules: [string, object, RegExp][] = [
  ['both encapsulations', { cidr: '10.0.0.0/8', ipipMode: 'Always', vxlanMode: 'CrossSubnet' }, /at once/],
  ['IP-in-IP on IPv6', { cidr: 'fd00::/64', ipipMode: 'Always' }, /ipipMode with IPv6/],
  ['host bits', { cidr: '10.0.0.1/8' }, /bits beyond the prefix/],
  ['link-local IPv4', { cidr: '169.254.0.0/20' }, /link-local/],
  ['link-local IPv6', { cidr: 'fe80::/64' }, /link-local/],
  ['blocks larger than the pool', { cidr: '10.0.0.0/26', blockSize: 24 }, /smaller than one of its blocks/],
  ['blocks larger than the pool by default', { cidr: '10.0.0.0/28' }, /smaller than one of its blocks/],
  ['IPv4 blocks out of range', { cidr: '10.0.0.0/8', blockSize: 16 }, /20 to 32/],
  ['IPv6 blocks out of range', { cidr: 'fd00::/48', blockSize: 64 }, /116 to 128/],
  ['mixed uses', { cidr: '10.0.0.0/8', allowedUses: ['LoadBalancer', 'Tunnel'] }, /anything else/],
  ['a use twice', { cidr: '10.0.0.0/8', allowedUses: ['Tunnel', 'Tunnel'] }, /twice/],
  ['global()', { cidr: '10.0.0.0/8', nodeSelector: 'global()' }, /global\(\)/],
  [
    'a namespace selector on tunnels',
    { cidr: '10.0.0.0/8', namespaceSelector: 'a == "b"', allowedUses: ['Tunnel'] },
    /tunnels have no namespace/,
  ],
];
for (const [name, spec, message] of rules) {
  test(`a pool with ${name} is refused`, () => {
    const faults = faultsOf(spec);
    assert.equal(faults.length, 1, faults.join('; '));
    assert.match(faults[0] ?? '', message);
  });
}

test('range and block size of a pool cannot be changed', () => {
  const old = { cidr: '10.0.0.0/8', blockSize: 26 };
  assert.deepEqual(faultsOf(old, old), []);
  assert.deepEqual(
    faultsOf({ cidr: '11.0.0.0/8', blockSize: 27 }, old).map((fault) => fault.split(' ')[0]),
    ['spec.cidr', 'spec.blockSize'],
  );
});

test('words in any case are taken where Calico takes them', () => {
  const felix = (spec: object) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'FelixConfiguration',
    metadata: { name: 'default' },
    spec,
  });
  assert.deepEqual(validate(felixConfigurations, felix({ logSeverityScreen: 'INFO', natPortRange: 80 })), []);
  assert.equal(validate(felixConfigurations, felix({ logSeverityScreen: 'Loud' })).length, 1);
});

test('null stands for a free address in a block and for nothing else', () => {
  const block = (allocations: unknown, unallocated: unknown) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMBlock',
    metadata: { name: '10-0-0-0-30' },
    spec: { cidr: '10.0.0.0/30', strictAffinity: false, attributes: [], allocations, unallocated } as never,
  });
  assert.deepEqual(validate(ipamBlocks, block([null, 0], [0])), []);
  assert.deepEqual(
    validate(ipamBlocks, block([null], [null])).map(({ path }) => path),
    ['spec.unallocated[0]'],
  );
});

test('absent fields take the declared defaults and present ones stay', () => {
  assert.deepEqual(withDefaults(ipPools, pool({ cidr: '10.0.0.0/8', nodeSelector: 'x == "y"' })).spec, {
    cidr: '10.0.0.0/8',
    nodeSelector: 'x == "y"',
    assignmentMode: 'Automatic',
  });
  const bare = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMConfiguration',
    metadata: { name: 'default' },
  };
  assert.deepEqual(withDefaults(ipamConfigurations, { ...bare, spec: {} as never }).spec, {
    strictAffinity: false,
    autoAllocateBlocks: true,
    maxBlocksPerHost: 0,
  });
});

test('a kind without a schema is taken as it is', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, anything: true };
  assert.deepEqual(validate(pods, pod), []);
  assert.equal(withDefaults(pods, pod), pod);
});
