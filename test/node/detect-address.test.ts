// By which address a node is known, by every method, on links as real nodes have them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Rtnetlink } from '../../src/kernel/index.ts';
import { detectAddress } from '../../src/node/detect-address.ts';
import { ip, testNamespace } from '../kernel/test-namespaces.ts';

describe('a node', () => {
  const node = testNamespace('node');
  const veth = (name: string, ...addresses: string[]) => {
    ip(node, 'link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
    for (const end of [name, `${name}p`]) ip(node, 'link', 'set', end, 'up');
    for (const address of addresses)
      ip(node, 'address', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []));
  };
  veth('docker0', '10.9.0.1/24');
  veth('eth0', '10.1.0.5/24', 'fd01::5/64');
  veth('br-ex', '10.2.0.5/24');
  ip(node, 'route', 'add', '203.0.113.0/24', 'via', '10.2.0.1');

  const detect = (
    method: string,
    {
      family = 4,
      wanted = 'autodetect',
      internalIp,
    }: { family?: 4 | 6; wanted?: string; internalIp?: string } = {},
  ) => {
    using rtnetlink = Rtnetlink.open({ namespace: node.fd });
    return detectAddress(rtnetlink, { namespace: node.fd, family, wanted, method, internalIp });
  };

  const cases: readonly (readonly [title: string, ...Parameters<typeof detect>, string])[] = [
    ['takes the first address that is its own', 'first-found', {}, '10.1.0.5 on eth0'],
    ['takes one of the other family', 'first-found', { family: 6 }, 'fd01::5 on eth0'],
    ['passes over links that are named, and over those of others', 'skip-interface=eth.*', {}, 'none'],
    ['takes the link that is named, whoever made it', 'interface=br-ex', {}, '10.2.0.5 on br-ex'],
    ['takes what lies in a range', 'cidr=10.2.0.0/16,192.0.2.0/24', {}, '10.2.0.5 on br-ex'],
    [
      'takes what Kubernetes knows it by',
      'kubernetes-internal-ip',
      { internalIp: '10.9.0.1' },
      '10.9.0.1 on docker0',
    ],
    ['takes what it would send from', 'can-reach=203.0.113.9', {}, '10.2.0.5 on br-ex'],
    ['takes the address that is given', 'first-found', { wanted: '10.2.0.5/24' }, '10.2.0.5 on br-ex'],
    ['has none where none is wanted', 'first-found', { wanted: 'none' }, 'none'],
  ];
  for (const [title, method, options, expected] of cases) {
    test(`${title} (${method})`, async () => {
      const found = await detect(method, options).catch((error: Error) => {
        assert.match(error.message, /Cannot find this node's IPv4 address: looked for .*, and there is 10\./);
        return undefined;
      });
      assert.equal(found ? `${found.address} on ${found.link.name}` : 'none', expected);
    });
  }

  test('says which destination it has no way to, and which methods there are', async () => {
    await assert.rejects(detect('can-reach=198.51.100.1'), /by which this node reaches "198\.51\.100\.1"/);
    await assert.rejects(detect('best'), /"best" is not a method .* "can-reach="/);
  });
});
