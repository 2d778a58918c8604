import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addAddress,
  addBridge,
  addRoute,
  addVeth,
  addVxlan,
  InetSocket,
  pollReadable,
  Rtnetlink,
  replaceForwardingEntry,
  replaceNeighbour,
  setLink,
} from '../../src/kernel/index.ts';
import { testNamespace } from './test-namespaces.ts';

const deadlineMs = 5_000;

interface Plan {
  readonly underlay: string;
  readonly tunnel: string;
  readonly tunnelMac: string;
  /** Where the node's one pod is, which is an address of the node's bridge here. */
  readonly pod: string;
  readonly block: string;
}

const families = [
  {
    family: 4,
    length: 32,
    // The link's 1500 less IP, UDP, VXLAN and Ethernet headers.
    tunnelMtu: 1450,
    plans: [
      {
        underlay: '172.30.0.1',
        tunnel: '192.168.1.0',
        tunnelMac: '66:00:00:00:00:01',
        pod: '192.168.1.7',
        block: '192.168.1.0/24',
      },
      {
        underlay: '172.30.0.2',
        tunnel: '192.168.2.0',
        tunnelMac: '66:00:00:00:00:02',
        pod: '192.168.2.7',
        block: '192.168.2.0/24',
      },
    ],
  },
  {
    family: 6,
    length: 128,
    tunnelMtu: 1430,
    plans: [
      {
        underlay: 'fd30::1',
        tunnel: 'fd00:1::',
        tunnelMac: '66:00:00:00:01:01',
        pod: 'fd00:1::7',
        block: 'fd00:1::/64',
      },
      {
        underlay: 'fd30::2',
        tunnel: 'fd00:2::',
        tunnelMac: '66:00:00:00:01:02',
        pod: 'fd00:2::7',
        block: 'fd00:2::/64',
      },
    ],
  },
] as const;

for (const { family, length, tunnelMtu, plans } of families) {
  test(`pods of two nodes reach each other over IPv${family} through a VXLAN tunnel that nobody has to learn`, () => {
    const namespaces = plans.map((_, i) => testNamespace(`vxlan${family}-${i}`));
    const [first, second] = namespaces;
    assert.ok(first && second);
    const nodes = namespaces.map((namespace) => Rtnetlink.open({ namespace: namespace.fd }));
    nodes[0]?.apply(addVeth({ name: 'eth0', up: true, peer: { name: 'eth0', namespace: second.fd } }));
    const tunnels = plans.map((plan, i) => makeNode(nodes[i] as Rtnetlink, plan));
    for (const [i, node] of nodes.entries()) {
      const { link, mtu } = tunnels[i] as { link: number; mtu: number };
      const { underlay, tunnel, tunnelMac, block } = plans[1 - i] as Plan;
      assert.equal(mtu, tunnelMtu);
      // The whole peer in one send.
      const refused = node.applyAll([
        replaceForwardingEntry({ link, mac: tunnelMac, destination: underlay }),
        replaceNeighbour({ link, address: tunnel, mac: tunnelMac }),
        addRoute({ destination: block, via: tunnel, link, onlink: true, protocol: 80 }),
      ]);
      assert.deepEqual(refused, []);
    }
    const [here, there] = plans;
    using server = InetSocket.open({ type: 'datagram', family, namespace: second.fd });
    server.bind({ address: there.pod, port: 7 });
    using client = InetSocket.open({ type: 'datagram', family, namespace: first.fd });
    client.bind({ address: here.pod, port: 4000 });
    client.sendTo(Buffer.from('ping'), { address: there.pod, port: 7 });
    pollReadable([server], deadlineMs);
    const ping = server.receiveFrom();
    assert.deepEqual(ping, { data: Buffer.from('ping'), from: { address: here.pod, port: 4000 } });
    server.sendTo(Buffer.from('pong'), ping.from);
    pollReadable([client], deadlineMs);
    assert.equal(client.receiveFrom()?.data.toString(), 'pong');
    for (const node of nodes) node.close();
  });

  function makeNode(node: Rtnetlink, plan: Plan): { link: number; mtu: number } {
    node.apply(setLink('eth0', { up: true }));
    node.apply(addBridge({ name: 'pods', up: true }));
    const eth0 = node.link('eth0')?.index ?? 0;
    const pods = node.link('pods')?.index ?? 0;
    const { underlay, tunnel, tunnelMac, pod, block } = plan;
    const underlayLength = family === 4 ? 24 : 64;
    node.apply(addAddress({ link: eth0, address: underlay, prefixLength: underlayLength, noDad: true }));
    node.apply(addAddress({ link: pods, address: pod, prefixLength: length, noDad: true }));
    node.apply(
      addVxlan({
        name: 'vxlan.calico',
        vni: 4096,
        port: 4789,
        local: underlay,
        parent: eth0,
        learning: false,
        mac: tunnelMac,
        mtu: tunnelMtu,
        up: true,
      }),
    );
    const { index: link = 0, mtu = 0 } = node.link('vxlan.calico') ?? {};
    node.apply(addAddress({ link, address: tunnel, prefixLength: length, noDad: true }));
    node.apply(addRoute({ destination: block, type: 'blackhole', protocol: 80 }));
    return { link, mtu };
  }
}
