// A connection that is tracked the wrong way round: the first packet of it that tracking saw was one of the called side, as with
// an agent that is older than the node's first rule. By its failsafe port it lives on, and nobody gets in by that port.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import {
  Conntrack,
  closeNamespace,
  InetSocket,
  openNamespace,
  pollReadable,
} from '../../src/kernel/index.ts';
import { encodeTcpStart } from '../../src/lab/prober/flow-packet.ts';
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

  test('is not noted as permitted, or whoever begins with a packet that opens nothing could open one then', async () => {
    const nft = (...words: string[]) =>
      execFileSync('nsenter', [`--net=${lab.end('node-1', 4).namespacePath}`, 'nft', ...words], {
        encoding: 'utf8',
      });
    await lab.node(1).table.settled();
    const port = 40_001;
    // Behind all of ours, and before the node answers that nobody is there, which ends the connection.
    nft(
      'table inet late { chain input { type filter hook input priority 50; ' +
        `tcp dport ${port} counter comment "came"; tcp dport ${port} ct mark & 0x10000 != 0 counter comment "noted"; }; }`,
    );
    for (const family of families) {
      const [source, destination] = [lab.end('outside', family), lab.end('node-1', family)];
      const namespace = openNamespace(source.namespacePath);
      using raw = InetSocket.open({ namespace, family, type: 'raw', protocol: 6 });
      closeNamespace(namespace);
      raw.bind({ address: source.address, port: 0 });
      const ends = { source: source.address, destination: destination.address };
      const start = encodeTcpStart({ ...ends, sourcePort: failsafePort, destinationPort: port, id: 1 });
      raw.sendTo(withAckForSyn(start), { address: destination.address, port: 0 });
    }
    const counted = (what: string) =>
      Number(
        new RegExp(`counter packets (\\d+) bytes \\d+ comment "${what}"`).exec(
          nft('list', 'table', 'inet', 'late'),
        )?.[1],
      );
    const deadline = performance.now() + arrivalMs;
    while (counted('came') < families.length) {
      assert.ok(performance.now() < deadline, 'the packets have not come');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(counted('noted'), 0);
  });

  test('opens nothing to those who call from such a port', () => {
    const flows = families.map((family) => ({
      ...lab.flow('outside', 'node-1', family, 'tcp', 40_000),
      sourcePort: failsafePort,
    }));
    assert.deepEqual(passingFlows(flows, new Set()), []);
  });
});

/** The flags of a TCP segment are other ones, and its checksum likewise. RFC 1624: HC' = ~(~HC + ~m + m') */
function withAckForSyn(segment: Uint8Array): Uint8Array {
  const view = new DataView(segment.buffer, segment.byteOffset);
  const before = view.getUint16(12);
  const after = (before & ~0x02) | 0x10;
  let sum = (~view.getUint16(16) & 0xffff) + (~before & 0xffff) + after;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(12, after);
  view.setUint16(16, ~sum & 0xffff);
  return segment;
}

/** Tracking forgets all connections of TCP. */
function turn(namespacePath: string): void {
  const namespace = openNamespace(namespacePath);
  using conntrack = Conntrack.open({ namespace });
  closeNamespace(namespace);
  conntrack.delete(
    conntrack.entries().flatMap(({ key, original }) => (original.protocol === 6 ? [key] : [])),
  );
}
