// What pods send to elsewhere leaves with the node's address, where their pool wants it so: seen by who receives it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultPath } from '../../src/dataplane/index.ts';
import { addressOf, type Family, families, PathNode } from './path-node.ts';

const pools = (natOutgoing: boolean) =>
  [
    { cidr: '10.1.0.0/24', natOutgoing },
    { cidr: 'fd00:1::/64', natOutgoing },
  ] as const;

describe('NAT outgoing:', () => {
  let node: PathNode;
  before(async () => {
    node = await PathNode.make('nat');
  });
  after(() => node?.remove());

  const source = (family: Family) => node.senderSeen('a', 'outside', family).address;

  test('a pool without natOutgoing keeps its pods’ addresses', () => {
    node.setPools(...pools(false));
    for (const family of families) assert.equal(source(family), addressOf.a[family]);
  });

  test('outside of all pools a pod is seen by the node’s address, and among pods by its own', () => {
    node.setPools(...pools(true));
    for (const family of families) {
      assert.equal(source(family), addressOf.node[family]);
      assert.equal(node.senderSeen('a', 'b', family).address, addressOf.a[family]);
    }
  });

  test('another pool is not outside, whether it translates or not', () => {
    node.setPools(...pools(true), { cidr: '172.30.0.0/24' }, { cidr: 'fd30::/64' });
    for (const family of families) assert.equal(source(family), addressOf.a[family]);
    for (const name of ['pool-2', 'pool-3']) node.calculator.deletePool(name);
    node.apply();
    for (const family of families) assert.equal(source(family), addressOf.node[family]);
  });

  test('nodes are outside, unless they are excluded', () => {
    // The outside as another node of the cluster.
    node.calculator.setNode({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: 'node-2',
        annotations: {
          'projectcalico.org/IPv4Address': '172.30.0.1/24',
          'projectcalico.org/IPv6Address': 'fd30::1/64',
        },
      },
    });
    node.apply();
    for (const family of families) assert.equal(source(family), addressOf.node[family]);
    node.reconfigure({ path: { ...defaultPath, natOutgoingExclusions: 'IPPoolsAndHostIPs' } });
    for (const family of families) assert.equal(source(family), addressOf.a[family]);
    node.calculator.deleteNode('node-2');
    node.reconfigure({ path: defaultPath });
  });

  test('ports, addresses and interfaces are as they were set', () => {
    node.reconfigure({ path: { ...defaultPath, natPorts: { first: 20000, last: 20009 } } });
    for (const family of families) {
      const { address, port } = node.senderSeen('a', 'outside', family);
      assert.equal(address, addressOf.node[family]);
      assert.ok(port >= 20000 && port <= 20009, `port ${port}`);
    }
    node.run('node', 'ip', 'addr', 'add', '172.30.0.99/32', 'dev', 'eth0');
    node.run('node', 'ip', 'addr', 'add', 'fd30::99/128', 'dev', 'eth0', 'nodad');
    node.reconfigure({ path: { ...defaultPath, natAddresses: { 4: '172.30.0.99', 6: 'fd30::99' } } });
    assert.deepEqual(families.map(source), ['172.30.0.99', 'fd30::99']);
    for (const address of ['172.30.0.99/32', 'fd30::99/128'])
      node.run('node', 'ip', 'addr', 'delete', address, 'dev', 'eth0');
    node.reconfigure({ path: { ...defaultPath, natInterface: 'bond0' } });
    assert.deepEqual(families.map(source), [addressOf.a[4], addressOf.a[6]]);
    node.reconfigure({ path: { ...defaultPath, natInterface: 'eth+' } });
    assert.deepEqual(families.map(source), [addressOf.node[4], addressOf.node[6]]);
    node.reconfigure({ path: defaultPath });
  });
});
