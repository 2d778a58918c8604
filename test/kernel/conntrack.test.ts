import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Conntrack, type ConntrackEntry, InetSocket, type SocketAddress } from '../../src/kernel/index.ts';
import { ip, type TestNamespace, testNamespace } from './test-namespaces.ts';

/** A namespace that tracks connections over loopback and marks them: UDP with 0x15, all else with 0x2. */
function tracking(label: string): TestNamespace {
  const namespace = testNamespace(label);
  ip(namespace, 'link', 'set', 'lo', 'up');
  nft(
    namespace,
    `table inet t {
      chain out {
        type filter hook output priority 0;
        ct mark 0 meta l4proto udp ct mark set 0x15
        ct mark 0 meta l4proto != udp ct mark set 0x2
        ct mark 0x10 counter name cleared
      }
      counter cleared { }
    }`,
  );
  return namespace;
}

function nft(namespace: TestNamespace, ruleset: string): void {
  execFileSync('nsenter', [`--net=/run/netns/${namespace.name}`, 'nft', '-f', '-'], { input: ruleset });
}

function sendUdp(namespace: TestNamespace, from: SocketAddress, to: SocketAddress): void {
  using socket = InetSocket.open({
    type: 'datagram',
    family: to.address.includes(':') ? 6 : 4,
    namespace: namespace.fd,
  });
  socket.bind(from);
  socket.sendTo(Buffer.from('x'), to);
}

function toPort(entries: readonly ConntrackEntry[], port: number): ConntrackEntry | undefined {
  return entries.find(({ original }) => original.destinationPort === port);
}

for (const [family, address] of [
  [4, '127.0.0.1'],
  [6, '::1'],
] as const) {
  test(`an IPv${family} connection is listed with both directions and its mark`, () => {
    const namespace = tracking(`list${family}`);
    using conntrack = Conntrack.open({ namespace: namespace.fd });
    sendUdp(namespace, { address, port: 4000 }, { address, port: 5000 });
    const entry = toPort(conntrack.entries(), 5000);
    assert.deepEqual(entry?.original, {
      source: address,
      destination: address,
      protocol: 17,
      sourcePort: 4000,
      destinationPort: 5000,
    });
    assert.deepEqual(entry?.reply, { ...entry?.original, sourcePort: 5000, destinationPort: 4000 });
    assert.equal(entry?.mark, 0x15);
    assert.equal(entry?.key.zone, 0);
  });

  test(`bits are taken off the marks of IPv${family} connections, and others stay`, async () => {
    const namespace = tracking(`clear${family}`);
    using conntrack = Conntrack.open({ namespace: namespace.fd });
    for (const port of [5000, 5001]) sendUdp(namespace, { address, port: 4000 }, { address, port });
    using listener = InetSocket.open({ type: 'stream', family, namespace: namespace.fd });
    listener.bind({ address, port: 6000 });
    listener.listen();
    using stream = InetSocket.open({ type: 'stream', family, namespace: namespace.fd });
    stream.connect({ address, port: 6000 });
    assert.equal(await conntrack.clearMarks(0x5), 2);
    const entries = conntrack.entries();
    assert.equal(toPort(entries, 5000)?.mark, 0x10);
    assert.equal(toPort(entries, 5001)?.mark, 0x10);
    assert.equal(toPort(entries, 6000)?.mark, 0x2);
    assert.equal(await conntrack.clearMarks(0x5), 0);
    // The kernel's own rules see it too.
    sendUdp(namespace, { address, port: 4000 }, { address, port: 5000 });
    const list = ['nft', 'list', 'counter', 'inet', 't', 'cleared'];
    const counter = execFileSync('nsenter', [`--net=/run/netns/${namespace.name}`, ...list], {
      encoding: 'utf8',
    });
    assert.match(counter, /packets [1-9]/);
  });

  test(`an IPv${family} connection is deleted by its key, and a key that is no longer of any is no error`, () => {
    const namespace = tracking(`delete${family}`);
    using conntrack = Conntrack.open({ namespace: namespace.fd });
    for (const port of [5000, 5001]) sendUdp(namespace, { address, port: 4000 }, { address, port });
    const first = toPort(conntrack.entries(), 5000);
    assert.ok(first);
    conntrack.delete([first.key]);
    assert.equal(toPort(conntrack.entries(), 5000), undefined);
    assert.ok(toPort(conntrack.entries(), 5001));
    conntrack.delete([first.key]);
  });
}

test('ICMP is listed by its identifier, type and code', () => {
  const namespace = tracking('icmp');
  using conntrack = Conntrack.open({ namespace: namespace.fd });
  using socket = InetSocket.open({ type: 'raw', protocol: 1, family: 4, namespace: namespace.fd });
  // An echo request with identifier 77 and sequence number 1; f7b1 is its checksum.
  socket.sendTo(Buffer.from('0800f7b1004d0001', 'hex'), { address: '127.0.0.1', port: 0 });
  const entry = conntrack.entries().find(({ original }) => original.protocol === 1);
  assert.deepEqual(entry?.original.icmp, { id: 77, type: 8, code: 0 });
  assert.deepEqual(entry?.reply.icmp, { id: 77, type: 0, code: 0 });
});

test('thousands of marks are cleared', async () => {
  const namespace = tracking('many');
  using conntrack = Conntrack.open({ namespace: namespace.fd });
  using socket = InetSocket.open({ type: 'datagram', family: 4, namespace: namespace.fd });
  const count = 2500;
  for (let i = 0; i < count; i++) socket.sendTo(Buffer.from('x'), { address: '127.0.0.1', port: 10_000 + i });
  assert.equal(await conntrack.clearMarks(0x1), count);
  assert.equal(conntrack.entries().filter(({ mark }) => mark & 0x1).length, 0);
});
