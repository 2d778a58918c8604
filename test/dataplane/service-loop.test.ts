// Packets to service addresses that no service has, and packets in packets that nobody may send.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultPath } from '../../src/dataplane/index.ts';
import { pollReadable } from '../../src/kernel/index.ts';
import { addressOf, type Family, families, PathNode } from './path-node.ts';

const unused: Readonly<Record<Family, string>> = { 4: '10.96.0.9', 6: 'fd96::9' };

describe('services’ ranges:', () => {
  let node: PathNode;
  before(async () => {
    node = await PathNode.make('loop');
    // The router that is told that this node has the ranges, and to which the node has its default route.
    node.run('outside', 'ip', 'addr', 'add', '10.96.0.9/32', 'dev', 'lo');
    node.run('outside', 'ip', 'addr', 'add', 'fd96::9/128', 'dev', 'lo', 'nodad');
  });
  after(() => node?.remove());

  /** Sends from pod a to an address of the range, which lies outside; ECONNREFUSED when that was answered at once. */
  const sent = (family: Family): 'arrived' | 'refused' | 'lost' => {
    using receiver = node.socket('outside', { family, type: 'datagram' });
    using sender = node.socket('a', { family, type: 'datagram' });
    receiver.bind({ address: unused[family], port: 7000 });
    sender.connect({ address: unused[family], port: 7000 });
    sender.send(Buffer.from('hello'));
    const [ready] = pollReadable([receiver, sender], 200);
    if (ready === receiver) return 'arrived';
    return ready === sender && sender.takeError() ? 'refused' : 'lost';
  };

  test('what no service took leaves the node when no range is advertised', () => {
    assert.deepEqual(families.map(sent), ['arrived', 'arrived']);
  });

  test('in an advertised range it is dropped, or refused, or let go, as it was set', () => {
    node.calculator.setBgpConfiguration({
      apiVersion: 'projectcalico.org/v3',
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: { serviceClusterIPs: [{ cidr: '10.96.0.0/12' }, { cidr: 'fd96::/112' }] },
    });
    node.apply();
    assert.deepEqual(families.map(sent), ['lost', 'lost']);
    node.reconfigure({ path: { ...defaultPath, serviceLoopPrevention: 'Reject' } });
    assert.deepEqual(families.map(sent), ['refused', 'refused']);
    node.reconfigure({ path: { ...defaultPath, serviceLoopPrevention: 'Disabled' } });
    assert.deepEqual(families.map(sent), ['arrived', 'arrived']);
    node.reconfigure({ path: defaultPath });
  });

  test('an address that a service has is translated, and never blocked', () => {
    node.nft(
      'node',
      `table inet kube-proxy-like {
        chain services { type nat hook prerouting priority dstnat;
          ip daddr 10.96.0.9 udp dport 7000 dnat ip to 10.1.0.2
          ip6 daddr fd96::9 udp dport 7000 dnat ip6 to fd00:1::2
        }
      }`,
    );
    for (const family of families) {
      const target = { address: unused[family], port: 7000 };
      assert.equal(node.senderSeen('a', 'b', family, 7000, target).address, addressOf.a[family]);
    }
  });
});

describe('packets in packets:', () => {
  let node: PathNode;
  const overlay = { ...defaultPath, vxlan: { port: 4789, families } };
  before(async () => {
    node = await PathNode.make('encap', { path: overlay });
  });
  after(() => node?.remove());

  test('pods may send none, unless they are allowed to', () => {
    const vxlan = (family: Family) => node.reaches('a', 'outside', family, 4789);
    assert.deepEqual(families.map(vxlan), [false, false]);
    assert.ok(node.reaches('a', 'outside', 4, 4790));
    node.reconfigure({ path: { ...overlay, allowVxlanFromPods: true } });
    assert.deepEqual(families.map(vxlan), [true, true]);
    const ipip = () => {
      using receiver = node.socket('outside', { family: 4, type: 'raw', protocol: 4 });
      using sender = node.socket('a', { family: 4, type: 'raw', protocol: 4 });
      sender.sendTo(new Uint8Array(20), { address: addressOf.outside[4], port: 0 });
      return pollReadable([receiver], 100).length > 0;
    };
    assert.equal(ipip(), false);
    node.reconfigure({ path: { ...overlay, allowIpipFromPods: true } });
    assert.equal(ipip(), true);
    node.reconfigure({ path: overlay });
  });

  test('pods have no IPv6 where the node has none', () => {
    node.reconfigure({ path: { ...overlay, ipv6Support: false } });
    assert.deepEqual(
      families.map((family) => node.reaches('a', 'outside', family)),
      [true, false],
    );
    node.reconfigure({ path: overlay });
    assert.ok(node.reaches('a', 'outside', 6));
  });

  test('the overlay takes packets from nodes, and from those who are named besides', () => {
    const vxlan = (family: Family) => node.reaches('outside', 'node', family, 4789);
    assert.deepEqual(families.map(vxlan), [false, false]);
    assert.ok(node.reaches('outside', 'node', 4, 4790), 'another port is anybody’s');
    node.reconfigure({
      path: {
        ...overlay,
        externalNodes: [
          { family: 4, network: 0xac1e0000n, length: 16 },
          { family: 6, network: 0xfd30n << 112n, length: 16 },
        ],
      },
    });
    assert.deepEqual(families.map(vxlan), [true, true]);
    node.reconfigure({ path: overlay });
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
    assert.deepEqual(families.map(vxlan), [true, true]);
  });
});
