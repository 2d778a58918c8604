import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesOf, cniResult } from './result.ts';

const attached = {
  links: {
    host: { name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee' },
    pod: { name: 'eth0', mac: '02:00:00:00:00:01', namespacePath: '/run/netns/pod' },
    mtu: 1450,
  },
  addresses: ['192.168.0.1', 'fd00::1'],
};
const interfaces = [
  { name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee' },
  { name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/run/netns/pod' },
];

test('from 1.0.0 on an address does not say its family', () => {
  assert.deepEqual(cniResult('1.0.0', attached), {
    cniVersion: '1.0.0',
    interfaces,
    ips: [
      { address: '192.168.0.1/32', interface: 1 },
      { address: 'fd00::1/128', interface: 1 },
    ],
    routes: [],
    dns: {},
  });
});

for (const version of ['0.3.0', '0.3.1', '0.4.0'] as const) {
  test(`in ${version} an address says its family`, () => {
    assert.deepEqual(cniResult(version, attached), {
      cniVersion: version,
      interfaces,
      ips: [
        { version: '4', address: '192.168.0.1/32', interface: 1 },
        { version: '6', address: 'fd00::1/128', interface: 1 },
      ],
      routes: [],
      dns: {},
    });
  });
}

for (const version of ['0.1.0', '0.2.0'] as const) {
  test(`in ${version} there is one address per family and no interface`, () => {
    assert.deepEqual(cniResult(version, attached), {
      cniVersion: version,
      ip4: { ip: '192.168.0.1/32' },
      ip6: { ip: 'fd00::1/128' },
      dns: {},
    });
  });
}

test('from 1.1.0 on an interface says its packet size', () => {
  const { interfaces: listed } = cniResult('1.1.0', attached) as { interfaces: object[] };
  assert.deepEqual(
    listed,
    interfaces.map((one) => ({ ...one, mtu: 1450 })),
  );
});

test('what plugins before made stays in front, and addresses name the right link', () => {
  const previous = {
    interfaces: [{ name: 'other0', sandbox: '/run/netns/pod' }],
    ips: [{ address: '192.0.2.1/24', interface: 0 }],
    routes: [{ dst: '198.51.100.0/24' }],
    dns: { nameservers: ['192.0.2.53'] },
  };
  const result = cniResult('1.0.0', attached, previous) as Record<string, unknown>;
  assert.deepEqual(result, {
    cniVersion: '1.0.0',
    interfaces: [...previous.interfaces, ...interfaces],
    ips: [
      ...previous.ips,
      { address: '192.168.0.1/32', interface: 2 },
      { address: 'fd00::1/128', interface: 2 },
    ],
    routes: previous.routes,
    dns: previous.dns,
  });
  assert.deepEqual(addressesOf(result, 'eth0'), ['192.168.0.1', 'fd00::1']);
});

test('an IPAM plugin answers with addresses alone', () => {
  assert.deepEqual(cniResult('1.0.0', { addresses: ['192.0.2.1'] }), {
    cniVersion: '1.0.0',
    ips: [{ address: '192.0.2.1/32' }],
    routes: [],
    dns: {},
  });
});

test('addresses are read from results of any version', () => {
  for (const version of ['0.2.0', '0.3.1', '1.1.0'] as const) {
    const result = cniResult(version, attached) as Record<string, unknown>;
    assert.deepEqual(addressesOf(result, 'eth0'), ['192.168.0.1', 'fd00::1'], version);
  }
});
