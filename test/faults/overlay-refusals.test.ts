// What only the kernel can refuse of a tunnel: it is named, policy and the node's own pods go on, and the tunnel is there as soon as
// it can be.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InetSocket } from '../../src/kernel/index.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import { type IPAMBlock, nodeAnnotations } from '../../src/resources/index.ts';
import { OneNode } from './one-node.ts';

const port = 4789;
const blockRoute = '10.1.0.64/26 via 10.1.0.42 dev vxlan.calico';

describe('a node whose tunnel the kernel refuses', { timeout: 120_000 }, () => {
  let node: OneNode;
  before(async () => {
    node = await OneNode.make('tunnel', { owned: true });
  });
  after(() => node?.remove());

  const hasTunnel = () => node.ip('route').includes(blockRoute);
  /** Of what is sent to b and to c, the shares that arrive, of whichever family. */
  const arrivals = async () => {
    await node.settled();
    const { permitted, forbidden } = await node.flood(async () => {});
    const shares = (lanes: readonly LaneReport[]) => [
      ...new Set(lanes.map(({ arrived, sent }) => arrived / sent)),
    ];
    return { b: shares(permitted), c: shares(forbidden) };
  };
  const lacksNothing = (sentences: string) => sentences === '';

  test('because a program has its port goes on with policy, and has the tunnel when the program has ended', async () => {
    assert.ok(hasTunnel());
    node.ip('link', 'del', 'vxlan.calico');
    const taken = InetSocket.open({ namespace: node.namespace, family: 4, type: 'datagram' });
    try {
      taken.bind({ address: '0.0.0.0', port });
      await node.overlayLacks((sentences) =>
        /^all: This node has no IPv4 tunnel \(vxlanVNI 4096, vxlanPort 4789\).*EADDRINUSE.*Another program has UDP port 4789: end it, or set vxlanPort/.test(
          sentences,
        ),
      );
      assert.deepEqual(await arrivals(), { b: [1], c: [0] });
      node.calculator.setKubernetesNetworkPolicy({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { namespace: 't', name: 'b-too' },
        spec: { podSelector: { matchLabels: { name: 'b' } }, policyTypes: ['Ingress'] },
      });
      node.apply();
      assert.deepEqual(await arrivals(), { b: [0], c: [0] });
      node.calculator.deletePolicy('KubernetesNetworkPolicy', 't/b-too');
      node.apply();
      assert.deepEqual(await arrivals(), { b: [1], c: [0] });
    } finally {
      taken.close();
    }
    await node.overlayLacks(lacksNothing);
    assert.ok(hasTunnel());
  });

  test('because another tunnel has its number names that, and has the tunnel when that has gone', async () => {
    for (const end of [[], ['local', '172.30.0.11']]) {
      node.ip('link', 'del', 'vxlan.calico');
      const tunnel = ['type', 'vxlan', 'id', '4096', 'dstport', String(port), 'dev', 'eth0', ...end];
      node.ip('link', 'add', 'rival', ...tunnel);
      await node.overlayLacks((sentences) =>
        /^all: .*EEXIST.*The link "rival" has VNI 4096 on that port: remove it/.test(sentences),
      );
      node.ip('link', 'del', 'rival');
      await node.overlayLacks(lacksNothing);
      assert.ok(hasTunnel());
    }
  });

  /** Node-3 with one thing wrong with it, and what is said of that. */
  const wrong: readonly (readonly [string, Partial<Announced>, string])[] = [
    ['a MAC address of many', { mac: '01:00:5e:00:00:01' }, 'Cannot set forwarding entry 01:00:5e:00:00:01'],
    ['a MAC address of all', { mac: 'ff:ff:ff:ff:ff:ff' }, 'Cannot set forwarding entry ff:ff:ff:ff:ff:ff'],
    ['no MAC address', { mac: '00:00:00:00:00:00' }, 'Cannot set forwarding entry 00:00:00:00:00:00'],
    ["this node's MAC address", { mac: '66:00:00:00:00:01' }, "this node's own MAC address"],
    ["this node's tunnel address", { tunnelAddress: '10.1.0.41' }, "this node's own tunnel address"],
    ["this node's address as its tunnel's", { tunnelAddress: '172.30.0.11' }, 'via 172.30.0.11'],
    ["this node's address", { address: '172.30.0.11/24' }, "this node's own address"],
    ...['255.255.255.255', '224.0.0.5', '127.0.0.1', '0.0.0.0'].flatMap((address) => [
      [`${address} as its tunnel's`, { tunnelAddress: address }, `the tunnel address ${address}`] as const,
      [`${address} as its own`, { address: `${address}/24` }, `the address ${address}`] as const,
    ]),
    ['a block with bits behind its prefix', { block: '10.1.0.129/26' }, 'the route 10.1.0.129/26'],
  ];
  const announced: Announced = {
    address: '172.30.0.13/24',
    tunnelAddress: '10.1.0.43',
    mac: '66:00:00:00:00:13',
    block: '10.1.0.128/26',
  };

  for (const [what, part, said] of wrong) {
    test(`goes on with the others when a node has ${what}, names it, and takes it in when all is right`, async () => {
      const { calculator } = node;
      const set = ({ address, tunnelAddress, mac, block }: Announced) => {
        calculator.setNode({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: {
            name: 'node-3',
            annotations: {
              [nodeAnnotations.ipv4Address]: address,
              [nodeAnnotations.ipv4VxlanTunnelAddress]: tunnelAddress,
              [nodeAnnotations.vxlanTunnelMac]: mac,
            },
          },
        });
        calculator.setBlock(blockOf('node-3', block));
        node.apply();
      };
      const way = () =>
        node.ip('route').includes('10.1.0.128/26 via 10.1.0.43 dev vxlan.calico') &&
        node.fdb('show', 'dev', 'vxlan.calico').includes('66:00:00:00:00:13 dst 172.30.0.13');
      set({ ...announced, ...part });
      const [fault = assert.fail('it lacks nothing'), ...others] = node.overlayFaults;
      assert.deepEqual([fault.extent, others], ['some', []]);
      assert.match(fault.sentence, /node "node-3"/);
      assert.ok(fault.sentence.includes(said), fault.sentence);
      assert.ok(hasTunnel());
      assert.match(node.fdb('show', 'dev', 'vxlan.calico'), /66:00:00:00:00:02 dst 172\.30\.0\.12/);
      assert.ok(!way());
      set(announced);
      assert.deepEqual(node.overlayFaults, []);
      assert.ok(way());
      calculator.deleteNode('node-3');
      calculator.deleteBlock('third');
      node.apply();
      assert.ok(!way());
    });
  }
});

interface Announced {
  readonly address: string;
  readonly tunnelAddress: string;
  readonly mac: string;
  /** Of addresses that are the node's. */
  readonly block: string;
}

function blockOf(node: string, cidr: string): IPAMBlock {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPAMBlock',
    metadata: { name: 'third' },
    spec: {
      cidr,
      affinity: `host:${node}`,
      allocations: new Array<null>(64).fill(null),
      attributes: [],
      unallocated: [],
      strictAffinity: false,
      sequenceNumber: 0,
    },
  };
}
