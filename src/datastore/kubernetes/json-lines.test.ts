import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonLines } from './json-lines.ts';

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (const size of sizes) {
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
  yield bytes.subarray(offset);
}

test('documents come out whole, however the bytes were cut', async () => {
  const document = fc.jsonValue().filter((value) => !Object.is(value, -0));
  await fc.assert(
    fc.asyncProperty(fc.array(document), fc.array(fc.nat(20)), async (documents, sizes) => {
      // Through JSON once, since -0 and a few others do not survive it.
      const expected = documents.map((value) => JSON.parse(JSON.stringify(value)));
      const bytes = Buffer.from(documents.map((value) => `${JSON.stringify(value)}\n`).join(''));
      assert.deepEqual(await Array.fromAsync(jsonLines(cut(bytes, sizes))), expected);
    }),
  );
});

test('half a document at the end is dropped', async () => {
  const bytes = Buffer.from('{"a":1}\n{"b":');
  assert.deepEqual(await Array.fromAsync(jsonLines(cut(bytes, []))), [{ a: 1 }]);
});

test('a whole line that is not JSON is an error', async () => {
  await assert.rejects(Array.fromAsync(jsonLines(cut(Buffer.from('{"a":\n'), []))), SyntaxError);
});
