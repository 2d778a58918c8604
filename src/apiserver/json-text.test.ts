import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from './json.ts';
import { jsonFault, repeatedFields } from './json-text.ts';

const repeated = (text: string) => repeatedFields(text, JSON.parse(text) as Json);

test('a field that is there twice is named by its path, and once', () => {
  assert.deepEqual(repeated('{"a":1,"a":2,"a":3}'), ['a']);
  assert.deepEqual(repeated('{"a" : 1, "b":{"c":[{"d":1},{"d":1,"d" : 2}]}}'), ['b.c[1].d']);
  assert.deepEqual(repeated('{"\\u0061":1,"a":2}'), ['a']);
  assert.deepEqual(repeated('{"a\\\\":1,"a\\\\":2,"b":"\\":"}'), ['a\\']);
});

test('a field is not there twice because a string looks like one, or another object has it as well', () => {
  assert.deepEqual(
    repeated(JSON.stringify({ a: '{"a":1}', b: { a: 'x":"y' }, c: [{ a: 1 }, { a: 1 }] })),
    [],
  );
});

test('nothing that JSON.stringify writes has a field twice, and all of it is JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 4), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(repeated(text), []);
      assert.equal(jsonFault(Buffer.from(text)), undefined);
    }),
  );
});

test('what JSON.parse refuses has a fault, and what it takes has none', () => {
  const characters = fc.constantFrom(...'{}[]",:\\0123.eE+-truefalsn \n');
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      assert.equal(jsonFault(Buffer.from(text)) === undefined, isJson);
    }),
    { numRuns: 2000 },
  );
});

test('a fault says which character came where another was due', () => {
  const faults = {
    '': 'unexpected end of JSON input',
    nonsense: "invalid character 'o' in literal null (expecting 'u')",
    '{a:1}': "invalid character 'a' looking for beginning of object key string",
    '{"a":1} x': "invalid character 'x' after top-level value",
    '1e': "invalid character ' ' in exponent of numeric literal",
    '\u0001': "invalid character '\\x01' looking for beginning of value",
    é: "invalid character 'Ã' looking for beginning of value",
  };
  for (const [text, fault] of Object.entries(faults)) assert.equal(jsonFault(Buffer.from(text)), fault);
});
