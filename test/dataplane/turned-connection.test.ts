// A connection that is tracked the wrong way round: the first packet of it that tracking saw was one of the called side, as with
// an agent that is older than the node's first rule. By its failsafe port it lives on, and nobody gets in by that port.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  Conntrack,
  closeNamespace,
  InetSocket,
  openNamespace,
  pollReadable,
} from '../../src/kernel/index.ts';
import { passingFlows } from './flows.ts';
import { type Family, families, globalPolicy, HostLab, hostEndpoint, type Place } from './host-lab.ts';

const failsafePort = 6443;
const arrivalMs = 10_000;

describe('a connection of the node to a failsafe port that is tracked the wrong way round', () => {
  let lab: HostLab;
  before(async () => {
    lab = await HostLab.make('het');
  });
  after(() => lab?.remove());

  const at = (place: Place, family: Family, port: number): InetSocket => {
    const { namespacePath, address } = lab.end(place, family);
    const namespace = openNamespace(namespacePath);
    const socket = InetSocket.open({ namespace, family, type: 'stream' });
    closeNamespace(namespace);
    socket.bind({ address, port });
    return socket;
  };

  for (const family of families) {
    test(`goes on under host endpoints that deny everything (IPv${family})`, async () => {
      await lab.become({});
      using server = at('outside', family, failsafePort);
      using client = at('node-1', family, 0);
      server.listen();
      client.connect({ address: lab.end('outside', family).address, port: failsafePort });
      pollReadable([server], arrivalMs);
      const accepted = server.accept();
      assert.ok(accepted);
      using far = accepted.socket;
      const reaches = (from: InetSocket, to: InetSocket) => {
        from.send(Uint8Array.of(1));
        pollReadable([to], arrivalMs);
        return to.receive()?.length === 1;
      };
      assert.deepEqual([reaches(client, far), reaches(far, client)], [true, true]);
      turn(lab.end('node-1', family).namespacePath);
      assert.ok(reaches(far, client), 'the called side speaks first');
      const types: ('Ingress' | 'Egress')[] = ['Ingress', 'Egress'];
      await lab.become({
        hostEndpoints: [hostEndpoint('all', { interfaceName: '*' })],
        globalPolicies: [
          globalPolicy('closing', { types, applyOnForward: true }),
          globalPolicy('early', {
            types: ['Ingress'],
            preDNAT: true,
            applyOnForward: true,
            ingress: [{ action: 'Deny' }],
          }),
        ],
      });
      assert.deepEqual([reaches(far, client), reaches(client, far)], [true, true]);
      far.resetOnClose();
    });
  }

  test('opens nothing to those who call from such a port', () => {
    const flows = families.map((family) => ({
      ...lab.flow('outside', 'node-1', family, 'tcp', 40_000),
      sourcePort: failsafePort,
    }));
    assert.deepEqual(passingFlows(flows, new Set()), []);
  });
});

/** Tracking forgets all connections of TCP. */
function turn(namespacePath: string): void {
  const namespace = openNamespace(namespacePath);
  using conntrack = Conntrack.open({ namespace });
  closeNamespace(namespace);
  conntrack.delete(
    conntrack.entries().flatMap(({ key, original }) => (original.protocol === 6 ? [key] : [])),
  );
}
