import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from './options.ts';

test('an empty environment means one IPv4 pool without encapsulation', () => {
  const { defaultPools, ip, ip6 } = readOptions({ NODENAME: 'n' });
  assert.deepEqual([ip, ip6], ['autodetect', 'none']);
  assert.deepEqual(defaultPools, [
    {
      name: 'default-ipv4-ippool',
      family: 4,
      cidr: undefined,
      blockSize: 26,
      vxlanMode: 'Never',
      ipipMode: 'Never',
      natOutgoing: true,
      nodeSelector: 'all()',
      disableBGPExport: false,
    },
  ]);
});

test('an IPv6 pool is made where one is named, without address translation', () => {
  const { defaultPools } = readOptions({ CALICO_IPV4POOL_CIDR: 'none', CALICO_IPV6POOL_CIDR: 'fd00::/48' });
  assert.deepEqual(
    defaultPools.map(({ name, blockSize, natOutgoing }) => [name, blockSize, natOutgoing]),
    [['default-ipv6-ippool', 122, false]],
  );
});

test('several nodes share a file system when each has a root of its own', () => {
  const { cniSocket, cniDeletions, nodename, mtu } = readOptions({ CALICO_ROOT: '/some/node' }).paths;
  assert.deepEqual(
    [cniSocket, cniDeletions, nodename, mtu],
    [
      '/some/node/run/cni.sock',
      '/some/node/lib/cni-deletions',
      '/some/node/lib/nodename',
      '/some/node/lib/mtu',
    ],
  );
});

for (const [name, value, fault] of [
  [
    'CALICO_IPV4POOL_CIDR',
    '10.0.0.0',
    /CALICO_IPV4POOL_CIDR is "10.0.0.0"; it must be an IPv4 CIDR or "none"/,
  ],
  ['CALICO_IPV4POOL_CIDR', 'fd00::/48', /must be an IPv4 CIDR/],
  [
    'CALICO_IPV4POOL_VXLAN',
    'sometimes',
    /CALICO_IPV4POOL_VXLAN is "sometimes"; it must be "Always", "CrossSubnet" or "Never"/,
  ],
  ['CALICO_IPV4POOL_BLOCK_SIZE', 'big', /CALICO_IPV4POOL_BLOCK_SIZE is "big"; it must be a number/],
] as const) {
  test(`${name}="${value}" is refused`, () => assert.throws(() => readOptions({ [name]: value }), fault));
}
