// What only the kernel can refuse of a tunnel: it is named, policy and the node's own pods go on, and the tunnel is there as soon as
// it can be.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InetSocket } from '../../src/kernel/index.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import { nodeAnnotations } from '../../src/resources/index.ts';
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
  /** As far as it says, of three local pods: what may reach b, and what may reach c. */
  const arrivals = async () => {
    await node.settled();
    const { permitted, forbidden } = await node.flood(async () => {});
    const share = (lanes: readonly LaneReport[]) => lanes.map(({ arrived, sent }) => arrived / sent);
    return [...share(permitted), ...share(forbidden)];
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
      assert.deepEqual(await arrivals(), [1, 1, 0, 0]);
      node.calculator.setKubernetesNetworkPolicy({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { namespace: 't', name: 'b-too' },
        spec: { podSelector: { matchLabels: { name: 'b' } }, policyTypes: ['Ingress'] },
      });
      node.apply();
      assert.deepEqual(await arrivals(), [0, 0, 0, 0]);
      node.calculator.deletePolicy('KubernetesNetworkPolicy', 't/b-too');
      node.apply();
      assert.deepEqual(await arrivals(), [1, 1, 0, 0]);
    } finally {
      taken.close();
    }
    await node.overlayLacks(lacksNothing);
    assert.ok(hasTunnel());
  });

  test('because another tunnel has its number names that, and has the tunnel when that has gone', async () => {
    node.ip('link', 'del', 'vxlan.calico');
    node.ip('link', 'add', 'rival', 'type', 'vxlan', 'id', '4096', 'dstport', String(port), 'dev', 'eth0');
    await node.overlayLacks((sentences) =>
      /^all: .*EEXIST.*The link "rival" has VNI 4096 on that port: remove it/.test(sentences),
    );
    node.ip('link', 'del', 'rival');
    await node.overlayLacks(lacksNothing);
    assert.ok(hasTunnel());
  });

  for (const [what, mac, tunnelAddress, said] of [
    [
      'cannot be sent to',
      '01:00:5e:00:00:01',
      '10.1.0.43',
      'The way to node "node-3" is not as it should be',
    ],
    [
      'are its own',
      '66:00:00:00:00:01',
      '10.1.0.43',
      'There is no way to node "node-3": its annotations say this node\'s own MAC address',
    ],
  ] as const) {
    test(`goes on with the others when a node's annotations ${what}, and takes that one in when they are right`, async () => {
      const set = (annotated: { mac: string; tunnelAddress: string }) => {
        node.calculator.setNode({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: {
            name: 'node-3',
            annotations: {
              [nodeAnnotations.ipv4Address]: '172.30.0.13/24',
              [nodeAnnotations.ipv4VxlanTunnelAddress]: annotated.tunnelAddress,
              [nodeAnnotations.vxlanTunnelMac]: annotated.mac,
            },
          },
        });
        node.apply();
      };
      set({ mac, tunnelAddress });
      assert.match(
        node.overlayFaults.map(({ extent, sentence }) => `${extent}: ${sentence}`).join(),
        /^some: /,
      );
      const [fault = assert.fail('it lacks nothing')] = node.overlayFaults;
      assert.ok(fault.sentence.includes(said), fault.sentence);
      assert.ok(hasTunnel());
      assert.match(node.fdb('show', 'dev', 'vxlan.calico'), /66:00:00:00:00:02 dst 172\.30\.0\.12/);
      assert.doesNotMatch(node.fdb('show', 'dev', 'vxlan.calico'), /172\.30\.0\.13/);
      set({ mac: '66:00:00:00:00:13', tunnelAddress: '10.1.0.53' });
      assert.deepEqual(node.overlayFaults, []);
      assert.match(node.fdb('show', 'dev', 'vxlan.calico'), /66:00:00:00:00:13 dst 172\.30\.0\.13/);
    });
  }
});
