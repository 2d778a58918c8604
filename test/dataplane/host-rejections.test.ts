// What becomes of packets that host endpoints and pods' policies deny on a node that is told to reject: the sender is told, but where
// the kernel rejects nothing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeNamespace, InetSocket, openNamespace, pollReadable } from '../../src/kernel/index.ts';
import { deny, type Family, families, globalPolicy, HostLab, hostEndpoint, type Place } from './host-lab.ts';

const port = 7000;
const bothWays: { types: ('Ingress' | 'Egress')[] } = { types: ['Ingress', 'Egress'] };

describe('a node with host endpoints that rejects', () => {
  let lab: HostLab;
  before(async () => {
    lab = await HostLab.make('her', { denyAction: 'Reject' });
  });
  after(() => lab?.remove());

  const socketOf = (place: Place, family: Family): InetSocket => {
    const namespace = openNamespace(lab.end(place, family).namespacePath);
    const socket = InetSocket.open({ namespace, family, type: 'stream' });
    closeNamespace(namespace);
    return socket;
  };

  /** What becomes of a connection to a port that somebody listens at: whoever is refused there was refused by the way. */
  const fate = (from: Place, to: Place, family: Family): 'open' | 'refused' | 'lost' => {
    const { address } = lab.end(to, family);
    using server = socketOf(to, family);
    server.bind({ address, port });
    server.listen();
    using client = socketOf(from, family);
    client.connect({ address, port });
    if (pollReadable([client, server], 500).length === 0) return 'lost';
    return client.takeError() ? 'refused' : 'open';
  };
  const fates = (from: Place, to: Place) => families.map((family) => fate(from, to, family));

  test('tells who is denied by its normal policies, by those about what it passes on, and by those of pods', async () => {
    await lab.become({});
    for (const [from, to] of [
      ['outside', 'node-1'],
      ['node-1', 'outside'],
      ['behind', 'outside'],
      ['outside', 'pod-1'],
    ] as const)
      assert.deepEqual(fates(from, to), ['open', 'open'], `${from} > ${to}`);
    const one = hostEndpoint('one', { interfaceName: 'eth0' });
    const ways = { applyOnForward: true, ...bothWays, ingress: [deny()], egress: [deny()] };
    await lab.become({ hostEndpoints: [one], globalPolicies: [globalPolicy('host', ways)] });
    assert.deepEqual(fates('outside', 'node-1'), ['refused', 'refused']);
    assert.deepEqual(fates('behind', 'outside'), ['refused', 'refused']);
    // A node that refuses itself its packet tells its own socket nothing but that it may not.
    assert.ok(fates('node-1', 'outside').every((what) => what !== 'open'));
    // One policy, of a pod and of the host endpoint.
    await lab.become({
      hostEndpoints: [one],
      globalPolicies: [globalPolicy('both', { selector: 'all()', ...bothWays })],
    });
    assert.deepEqual(fates('outside', 'pod-1'), ['refused', 'refused']);
    assert.deepEqual(fates('outside', 'node-1'), ['refused', 'refused']);
    assert.equal(await lab.node(1).table.audit(), undefined);
  });

  for (const [stage, what] of [
    ['preDNAT', 'translated'],
    ['doNotTrack', 'tracked'],
  ] as const) {
    test(`tells nobody of what is denied before it is ${what}`, async () => {
      const early = globalPolicy('early', { applyOnForward: true, [stage]: true, ingress: [deny()] });
      await lab.become({
        hostEndpoints: [
          hostEndpoint('one', { interfaceName: 'eth0', profiles: ['projectcalico-default-allow'] }),
        ],
        globalPolicies: [early],
      });
      assert.deepEqual(fates('outside', 'node-1'), ['lost', 'lost']);
      assert.deepEqual(fates('outside', 'behind'), ['lost', 'lost']);
    });
  }
});
