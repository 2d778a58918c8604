import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adoptRoutes } from '../../src/bgp/index.ts';
import { addVeth, Rtnetlink, setLink } from '../../src/kernel/index.ts';
import { ip, ipJson, testNamespace } from '../kernel/test-namespaces.ts';

test('routes that an older BIRD left without a metric get the one that BIRD gives its own, and no others do', () => {
  const namespace = testNamespace('adopt-routes');
  using rtnetlink = Rtnetlink.open({ namespace: namespace.fd });
  rtnetlink.apply(addVeth({ name: 'eth0', up: true, peer: { name: 'eth1' } }));
  rtnetlink.apply(setLink('eth1', { up: true }));
  ip(namespace, 'addr', 'add', '10.1.0.1/24', 'dev', 'eth0');
  const add = (...words: string[]) => ip(namespace, 'route', 'add', ...words);
  add('192.168.1.0/26', 'via', '10.1.0.2', 'proto', 'bird');
  add('192.168.2.0/26', 'via', '203.0.113.1', 'dev', 'eth0', 'onlink', 'proto', 'bird');
  add('blackhole', '192.168.3.0/26', 'proto', 'bird');
  add('192.168.4.0/26', 'via', '10.1.0.2', 'proto', 'bird', 'metric', '512');
  add('192.168.5.0/26', 'via', '10.1.0.2', 'proto', 'static');
  add('192.168.6.0/26', 'via', '10.1.0.2', 'proto', 'bird', 'table', '7');
  const several = ['nexthop', 'via', '10.1.0.2', 'nexthop', 'via', '10.1.0.3'];
  add('192.168.7.0/26', 'proto', 'bird', ...several);

  assert.deepEqual(adoptRoutes(rtnetlink, 1024), ['192.168.7.0/26']);
  const told = (table: string) =>
    ipJson(namespace, 'route', 'show', 'table', table, 'root', '192.168.0.0/16').map(
      ({ dst, type = 'unicast', gateway, metric, flags }) => [dst, type, gateway, metric, flags],
    );
  assert.deepEqual(told('main'), [
    ['192.168.1.0/26', 'unicast', '10.1.0.2', 1024, []],
    ['192.168.2.0/26', 'unicast', '203.0.113.1', 1024, ['onlink']],
    ['192.168.3.0/26', 'blackhole', undefined, 1024, []],
    ['192.168.4.0/26', 'unicast', '10.1.0.2', 512, []],
    ['192.168.5.0/26', 'unicast', '10.1.0.2', undefined, []],
    ['192.168.7.0/26', 'unicast', undefined, undefined, []],
  ]);
  assert.deepEqual(told('7'), [['192.168.6.0/26', 'unicast', '10.1.0.2', undefined, []]]);
});
