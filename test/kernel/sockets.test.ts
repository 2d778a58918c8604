import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import {
  InetSocket,
  KernelError,
  listenInNamespace,
  pollReadable,
  type SocketAddress,
} from '../../src/kernel/index.ts';
import { ip, testNamespace } from './test-namespaces.ts';

const namespace = testNamespace('sockets');
ip(namespace, 'link', 'set', 'lo', 'up');
const elsewhere = testNamespace('elsewhere');
const deadlineMs = 5_000;

for (const [family, address] of [
  [4, '127.0.0.1'],
  [6, '::1'],
] as const) {
  const open = (type: 'datagram' | 'stream' | 'raw', protocol?: number) =>
    InetSocket.open({ type, family, namespace: namespace.fd, ...(protocol !== undefined && { protocol }) });
  const bound = (socket: InetSocket): SocketAddress => {
    socket.bind({ address, port: 0 });
    return socket.localAddress();
  };

  test(`a datagram arrives with its sender's address over IPv${family}`, () => {
    using receiver = open('datagram');
    using sender = open('datagram');
    const to = bound(receiver);
    const from = bound(sender);
    assert.equal(receiver.receiveFrom(), undefined);
    assert.equal(sender.sendTo(Buffer.from('hello'), to), 5);
    assert.deepEqual(pollReadable([sender, receiver], deadlineMs), [receiver]);
    assert.deepEqual(receiver.receiveFrom(), { data: Buffer.from('hello'), from });
  });

  test(`a connection is accepted, carries bytes and ends over IPv${family}`, () => {
    using listener = open('stream');
    const to = bound(listener);
    listener.listen();
    using client = open('stream');
    client.connect(to);
    assert.deepEqual(pollReadable([listener], deadlineMs), [listener]);
    const accepted = listener.accept();
    assert.ok(accepted);
    using server = accepted.socket;
    assert.deepEqual(accepted.peer, client.localAddress());
    assert.equal(listener.accept(), undefined);
    assert.equal(client.takeError(), undefined);
    client.send(Buffer.from('over'));
    pollReadable([server], deadlineMs);
    assert.equal(server.receive()?.toString(), 'over');
    client.close();
    pollReadable([server], deadlineMs);
    assert.equal(server.receive()?.length, 0);
  });

  test(`a refused connection says so over IPv${family}`, () => {
    using closed = open('stream');
    const to = bound(closed);
    using client = open('stream');
    client.connect(to);
    pollReadable([client], deadlineMs);
    assert.equal(client.takeError()?.code, 'ECONNREFUSED');
    assert.equal(client.takeError(), undefined);
  });

  test(`a raw socket carries an IP protocol that the kernel has no sockets for over IPv${family}`, () => {
    using receiver = open('raw', 132);
    using sender = open('raw', 132);
    receiver.bind({ address, port: 0 });
    sender.sendTo(Buffer.from('chunk'), { address, port: 0 });
    pollReadable([receiver], deadlineMs);
    const got = receiver.receiveFrom();
    assert.deepEqual(got?.from, { address, port: 0 });
    assert.equal(got?.data.subarray(family === 4 ? 20 : 0).toString(), 'chunk');
  });

  test(`a listening socket made in a namespace serves Node's own server over IPv${family}`, async () => {
    const fd = listenInNamespace(namespace.fd, { address, port: 7777 });
    const server = createServer((connection) => connection.end('served')).listen({ fd });
    try {
      await once(server, 'listening');
      using client = open('stream');
      const connection = once(server, 'connection');
      client.connect({ address, port: 7777 });
      await connection;
      await new Promise((resolve) => setImmediate(resolve));
      pollReadable([client], deadlineMs);
      assert.equal(client.receive()?.toString(), 'served');
    } finally {
      server.close();
    }
  });
}

test('a socket belongs to the namespace that it was opened in', () => {
  using here = InetSocket.open({ type: 'datagram', family: 4, namespace: namespace.fd });
  using there = InetSocket.open({ type: 'datagram', family: 4, namespace: elsewhere.fd });
  here.bind({ address: '127.0.0.1', port: 5353 });
  there.bind({ address: '0.0.0.0', port: 5353 });
  assert.throws(
    () => there.sendTo(Buffer.from('x'), { address: '127.0.0.1', port: 5353 }),
    (error) => error instanceof KernelError && error.code === 'ENETUNREACH',
  );
});

test('errors say what was attempted, on what, and why it failed', () => {
  using socket = InetSocket.open({ type: 'datagram', family: 4, namespace: namespace.fd });
  assert.throws(() => socket.bind({ address: '10.9.8.7', port: 53 }), {
    name: 'KernelError',
    code: 'EADDRNOTAVAIL',
    message: 'Cannot bind a datagram socket to 10.9.8.7:53: EADDRNOTAVAIL',
  });
});
