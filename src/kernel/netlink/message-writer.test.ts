import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Attributes } from './attributes.ts';
import { MessageWriter } from './message-writer.ts';
import { eachMessage, type NetlinkMessage } from './messages.ts';

type Value =
  | { kind: 'u8' | 'u16' | 'u16be' | 'u32' | 'u32be'; value: number }
  | { kind: 'u64' | 'u64be'; value: bigint }
  | { kind: 'string'; value: string }
  | { kind: 'bytes'; value: Uint8Array }
  | { kind: 'flag' }
  | { kind: 'nest'; value: Value[] };

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const { value: anyValue } = fc.letrec<{ value: Value; nest: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.record({ kind: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
    fc.record({
      kind: fc.constantFrom('u16' as const, 'u16be' as const),
      value: fc.integer({ min: 0, max: 0xffff }),
    }),
    fc.record({
      kind: fc.constantFrom('u32' as const, 'u32be' as const),
      value: fc.integer({ min: 0, max: 0xffffffff }),
    }),
    fc.record({ kind: fc.constantFrom('u64' as const, 'u64be' as const), value: u64 }),
    fc.record({
      kind: fc.constant('string' as const),
      value: fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll('\0', '')),
    }),
    fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 100 }) }),
    fc.record({ kind: fc.constant('flag' as const) }),
    tie('nest'),
  ),
  nest: fc.record({ kind: fc.constant('nest' as const), value: fc.array(tie('value'), { maxLength: 5 }) }),
}));

function write(writer: MessageWriter, values: readonly Value[]): void {
  for (const [index, value] of values.entries()) {
    const type = index + 1;
    switch (value.kind) {
      case 'nest':
        writer.beginNested(type);
        write(writer, value.value);
        writer.endNested();
        break;
      case 'flag':
        writer.flag(type);
        break;
      case 'string':
        writer.string(type, value.value);
        break;
      case 'bytes':
        writer.bytes(type, value.value);
        break;
      case 'u64':
      case 'u64be':
        writer[value.kind](type, value.value);
        break;
      default:
        writer[value.kind](type, value.value);
    }
  }
}

function assertReads(attributes: Attributes, values: readonly Value[]): void {
  assert.deepEqual(
    attributes.types(),
    values.map((_, index) => index + 1),
  );
  for (const [index, value] of values.entries()) {
    const type = index + 1;
    if (value.kind === 'nest') {
      const nested = attributes.nested(type);
      assert.ok(nested);
      assertReads(nested, value.value);
    } else if (value.kind === 'flag') assert.equal(attributes.bytes(type)?.length, 0);
    else if (value.kind === 'bytes') assert.deepEqual(attributes.bytes(type), Buffer.from(value.value));
    else assert.equal(attributes[value.kind](type), value.value);
  }
}

function messagesOf(bytes: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  eachMessage(bytes, (message) => messages.push(message));
  return messages;
}

test('messages that were written are read back, whatever their attributes and nesting', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyValue, { maxLength: 8 }), { maxLength: 4 }), (bodies) => {
      const writer = new MessageWriter(16);
      for (const [index, body] of bodies.entries()) {
        writer
          .begin(0x1000 + index, 0x5, index + 1)
          .headerU8(7)
          .headerU8(0)
          .headerU16be(10);
        write(writer, body);
        writer.end();
      }
      const messages = messagesOf(writer.finish());
      assert.equal(messages.length, bodies.length);
      for (const [index, message] of messages.entries()) {
        assert.equal(message.type, 0x1000 + index);
        assert.equal(message.flags, 0x5);
        assert.equal(message.sequence, index + 1);
        assert.deepEqual([...message.payload.subarray(0, 4)], [7, 0, 0, 10]);
        assertReads(new Attributes(message.payload, 4), bodies[index] ?? []);
      }
    }),
  );
});

test('values are padded with zeros to four bytes, and lengths do not count the padding', () => {
  const writer = new MessageWriter();
  writer.begin(1, 0, 0).string(3, 'eth').u8(5, 9).end();
  assert.equal(writer.finish().subarray(16).toString('hex'), '080003006574680005000500' + '09000000');
});

test('an attribute that a 16-bit length cannot describe is refused', () => {
  const writer = new MessageWriter();
  writer.begin(1, 0, 0);
  assert.throws(
    () => writer.bytes(1, new Uint8Array(65532)),
    /Cannot write a netlink attribute of 65536 bytes/,
  );
  writer.beginNested(2);
  for (let i = 0; i < 8192; i++) writer.u32(1, i);
  assert.equal(writer.nestedLength, 65540);
  assert.throws(() => writer.endNested(), RangeError);
});

test('a message cannot end with a nested attribute open', () => {
  const writer = new MessageWriter();
  writer.begin(1, 0, 0).beginNested(1);
  assert.throws(() => writer.end(), /1 nested attributes open/);
});

test('reset forgets what was written and keeps the writer usable', () => {
  const writer = new MessageWriter();
  writer.begin(1, 0, 1).u32(1, 1).end();
  writer.reset();
  writer.begin(2, 0, 2).end();
  assert.deepEqual(
    messagesOf(writer.finish()).map((message) => message.type),
    [2],
  );
});

test('attributes of one type repeated are read as a list', () => {
  const writer = new MessageWriter();
  writer.begin(1, 0, 0);
  for (const value of [4, 5, 6]) writer.beginNested(1).u32be(2, value).endNested();
  const attributes = new Attributes(writer.end().finish(), 16);
  assert.deepEqual(
    attributes.list(1).map((item) => item.u32be(2)),
    [4, 5, 6],
  );
});

test('bytes whose lengths do not fit are refused rather than read', () => {
  assert.throws(() => new Attributes(Buffer.from('0300010000000000', 'hex')), /says it is 3 bytes long/);
  assert.throws(() => new Attributes(Buffer.from('2000010000000000', 'hex')), /says it is 32 bytes long/);
  assert.throws(() => new Attributes(Buffer.from('0500010009000000', 'hex')).u32(1), /holds 1 bytes where 4/);
  assert.throws(() => messagesOf(Buffer.alloc(16)), /says it is 0 bytes long/);
});
