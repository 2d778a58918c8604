// What only the kernel can refuse of a tunnel: it is named, policy and the node's own pods go on, and the tunnel is there as soon as
// it can be.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InetSocket } from '../../src/kernel/index.ts';
import { families } from '../../src/lab/prober/families.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import type { Family } from '../../src/net/index.ts';
import { type IPAMBlock, nodeAnnotations } from '../../src/resources/index.ts';
import { ways } from './hands.ts';
import { OneNode, plan } from './one-node.ts';

const port = 4789;
/** Addresses at which nobody is. */
const nobodys = {
  4: ['255.255.255.255', '224.0.0.5', '127.0.0.1', '0.0.0.0'],
  6: ['ff02::5', '::1', '::'],
} as const;

const thirdBlock = { 4: '10.1.0.128/26', 6: 'fd00:1::80/122' } as const;
/** What node-3 says in other words, some with bits behind a block's prefix. */
const otherWords: Readonly<Record<Family, readonly Partial<Announced>[]>> = {
  4: [{ block: '10.1.0.129/26' }, { block: '10.1.0.191/26' }],
  6: [
    { block: 'fd00:1::81/122' },
    { block: 'FD00:1::80/122' },
    { block: 'fd00:1:0:0:0:0:0:80/122' },
    { tunnelAddress: 'FD00:1:0::33' },
    { address: 'FD30:0::13/24' },
  ],
};
/** And this node's own addresses. */
const ownInOtherWords = { tunnelAddress: 'FD00:1:0::31', address: 'FD30:0::11/24' } as const;

const annotations = {
  4: {
    address: nodeAnnotations.ipv4Address,
    tunnelAddress: nodeAnnotations.ipv4VxlanTunnelAddress,
    mac: nodeAnnotations.vxlanTunnelMac,
  },
  6: {
    address: nodeAnnotations.ipv6Address,
    tunnelAddress: nodeAnnotations.ipv6VxlanTunnelAddress,
    mac: nodeAnnotations.vxlanTunnelMacV6,
  },
} as const;

interface Announced {
  readonly address: string;
  readonly tunnelAddress: string;
  readonly mac: string;
  readonly block: string;
}

for (const family of families)
  describe(`a node whose IPv${family} tunnel the kernel refuses`, { timeout: 120_000 }, () => {
    const { otherBlock, otherTunnel, tunnel } = ways[family];
    const own = plan[family];
    let node: OneNode;
    before(async () => {
      node = await OneNode.make('tunnel', { owned: true });
    });
    after(() => node?.remove());

    const ip = (...args: string[]) => node.ip(`-${family}`, ...args);
    const hasTunnel = () => ip('route').includes(`${otherBlock} via ${otherTunnel.address} dev ${tunnel}`);
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
      node.ip('link', 'del', tunnel);
      const taken = InetSocket.open({ namespace: node.namespace, family, type: 'datagram' });
      try {
        taken.bind({ address: family === 4 ? '0.0.0.0' : '::', port });
        await node.overlayLacks((sentences) =>
          new RegExp(
            `^all: This node has no IPv${family} tunnel \\(vxlanVNI 4096, vxlanPort 4789\\).*EADDRINUSE.*Another program has UDP port 4789: end it, or set vxlanPort`,
          ).test(sentences),
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
      // Without an address its tunnel is IPv4's.
      const ends = [...(family === 4 ? [[]] : [['remote', own.node(3)]]), ['local', own.node(1)]];
      for (const end of ends) {
        node.ip('link', 'del', tunnel);
        const rival = ['type', 'vxlan', 'id', '4096', 'dstport', String(port), 'dev', 'eth0', ...end];
        node.ip('link', 'add', 'rival', ...rival);
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
      [
        'a MAC address of many',
        { mac: '01:00:5e:00:00:01' },
        'Cannot set forwarding entry 01:00:5e:00:00:01',
      ],
      ['a MAC address of all', { mac: 'ff:ff:ff:ff:ff:ff' }, 'Cannot set forwarding entry ff:ff:ff:ff:ff:ff'],
      ['no MAC address', { mac: '00:00:00:00:00:00' }, 'Cannot set forwarding entry 00:00:00:00:00:00'],
      ["this node's MAC address", { mac: own.tunnelMac(1) }, "this node's own MAC address"],
      ["this node's tunnel address", { tunnelAddress: own.tunnel(1) }, "this node's own tunnel address"],
      ["this node's address as its tunnel's", { tunnelAddress: own.node(1) }, `via ${own.node(1)}`],
      ["this node's address", { address: `${own.node(1)}/24` }, "this node's own address"],
      ...(family === 6
        ? [
            [
              `${ownInOtherWords.tunnelAddress} as its tunnel's`,
              { tunnelAddress: ownInOtherWords.tunnelAddress },
              "this node's own tunnel address",
            ] as const,
            [
              `${ownInOtherWords.address} as its own`,
              { address: ownInOtherWords.address },
              "this node's own address",
            ] as const,
          ]
        : []),
      ...nobodys[family].flatMap((address) => [
        [`${address} as its tunnel's`, { tunnelAddress: address }, `the tunnel address ${address}`] as const,
        [`${address} as its own`, { address: `${address}/24` }, `the address ${address}`] as const,
      ]),
    ];
    const announced: Announced = {
      address: `${own.node(3)}/24`,
      tunnelAddress: own.tunnel(3),
      mac: own.tunnelMac(3),
      block: thirdBlock[family],
    };

    const announce = ({ address, tunnelAddress, mac, block }: Announced) => {
      const annotated = annotations[family];
      node.calculator.setNode({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: 'node-3',
          annotations: {
            [annotated.address]: address,
            [annotated.tunnelAddress]: tunnelAddress,
            [annotated.mac]: mac,
          },
        },
      });
      node.calculator.setBlock(blockOf('node-3', block));
      node.apply();
    };
    const hasWay = () =>
      ip('route').includes(`${thirdBlock[family]} via ${own.tunnel(3)} dev ${tunnel}`) &&
      node.fdb('show', 'dev', tunnel).includes(`${own.tunnelMac(3)} dst ${own.node(3)}`);
    const withdraw = () => {
      node.calculator.deleteNode('node-3');
      node.calculator.deleteBlock('third');
      node.apply();
      assert.ok(!hasWay());
    };

    for (const [what, part, said] of wrong) {
      test(`goes on with the others when a node has ${what}, names it, and takes it in when all is right`, () => {
        announce({ ...announced, ...part });
        const [fault = assert.fail('it lacks nothing'), ...others] = node.overlayFaults;
        assert.deepEqual([fault.extent, others], ['some', []]);
        assert.match(fault.sentence, /node "node-3"/);
        assert.ok(fault.sentence.includes(said), fault.sentence);
        assert.ok(hasTunnel());
        assert.ok(node.fdb('show', 'dev', tunnel).includes(`${otherTunnel.mac} dst ${otherTunnel.node}`));
        assert.ok(!hasWay());
        announce(announced);
        assert.deepEqual(node.overlayFaults, []);
        assert.ok(hasWay());
        withdraw();
      });
    }

    for (const part of otherWords[family]) {
      test(`has the way to a node that says ${Object.values(part)}, and finds nothing to set right`, () => {
        announce({ ...announced, ...part });
        assert.ok(hasWay());
        assert.deepEqual(node.overlayFaults, []);
        assert.deepEqual(node.dataplane.repairRouting(), []);
        withdraw();
      });
    }
  });

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
