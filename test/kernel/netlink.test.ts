import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Attributes,
  KernelError,
  MessageWriter,
  NetlinkSocket,
  netlinkRoute,
  nlmAck,
  nlmRequest,
} from '../../src/kernel/index.ts';
import { testNamespace } from './test-namespaces.ts';

const namespace = testNamespace('netlink');
const getLink = 18;
const newLink = 16;
const nameAttribute = 3;

/** RTM_*LINK about a link by name. */
function linkMessage(writer: MessageWriter, type: number, sequence: number, name?: string): MessageWriter {
  writer.begin(type, nlmRequest | nlmAck, sequence);
  for (let i = 0; i < 4; i++) writer.headerU32(0);
  if (name !== undefined) writer.string(nameAttribute, name);
  return writer.end();
}

test('each message of a request is answered: those refused with the reason and the place of the fault', async () => {
  using socket = NetlinkSocket.open(netlinkRoute, { namespace: namespace.fd });
  for (const request of ['request', 'requestAsync'] as const) {
    const writer = new MessageWriter();
    const [first, second, third] = [socket.nextSequence(), socket.nextSequence(), socket.nextSequence()];
    linkMessage(writer, newLink, first, 'a-name-that-is-too-long');
    linkMessage(writer, getLink, second, 'none');
    linkMessage(writer, getLink, third, 'lo');
    const { faults, replies } = await socket[request](writer.finish());
    assert.deepEqual(faults, [
      { sequence: first, errno: 34, reason: 'Attribute failed policy validation', attributeOffset: 32 },
      { sequence: second, errno: 19 },
    ]);
    assert.deepEqual(
      replies.map(({ sequence, payload }) => [sequence, new Attributes(payload, 16).string(nameAttribute)]),
      [[third, 'lo']],
    );
  }
});

test('a listing that the kernel refuses is an error that says what was attempted', () => {
  using socket = NetlinkSocket.open(netlinkRoute, { namespace: namespace.fd });
  const unknownType = new MessageWriter().begin(2000, 0, 0).headerU32(0).end().finish();
  assert.throws(
    () => socket.dump(unknownType, () => 1, 'Cannot list what there is not'),
    (error) => error instanceof KernelError && error.message === 'Cannot list what there is not: EOPNOTSUPP',
  );
});

test('a socket refuses work while an asynchronous request is under way, and once it is closed', async () => {
  const socket = NetlinkSocket.open(netlinkRoute, { namespace: namespace.fd });
  const message = linkMessage(new MessageWriter(), getLink, socket.nextSequence(), 'lo').finish();
  const underWay = socket.requestAsync(message);
  assert.throws(() => socket.request(message), /while an asynchronous request is under way/);
  assert.equal((await underWay).replies.length, 1);
  socket.close();
  assert.throws(() => socket.request(message), /that is closed/);
});

test('a sibling is in the same namespace', () => {
  using socket = NetlinkSocket.open(netlinkRoute, { namespace: namespace.fd });
  using sibling = socket.sibling();
  const names = sibling.dump(
    linkMessage(new MessageWriter(), getLink, 0).finish(),
    ({ payload }) => new Attributes(payload, 16).string(nameAttribute),
    'Cannot list links',
  );
  assert.ok(names.includes('lo'));
  assert.ok(!names.includes('eth0'));
});
