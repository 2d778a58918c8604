import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cniResult } from './result.ts';

const attached = {
  hostInterface: { name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee' },
  podInterface: { name: 'eth0', mac: '02:00:00:00:00:01', namespacePath: '/run/netns/pod' },
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
