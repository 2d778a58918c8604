import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../json.ts';
import { integer, listByKey, openObject, setOf, strictObject, string } from '../schema/schema.ts';
import { decodeFields, encodeFields, fieldsOf, mergeFields, removeField } from './field-set.ts';

const schema = openObject({
  spec: strictObject({
    items: listByKey(['name'], strictObject({ name: string, size: integer })),
    tags: setOf(string),
  }),
});

const name = fc.constantFrom('a', 'b', 'c');
const plain = { noNullPrototype: true };
const item = fc.record({ name, size: fc.nat(9) }, plain);
const spec = fc.record(
  { items: fc.uniqueArray(item, { selector: (one) => one.name }), tags: fc.uniqueArray(name) },
  plain,
);
const object: fc.Arbitrary<JsonObject> = fc.record(
  { spec, extra: fc.dictionary(name, fc.nat(9), plain) },
  plain,
);

const keysOf = (value: JsonObject) => [...fieldsOf(schema, value).keys()].sort();

test('field sets survive being encoded and decoded', () => {
  fc.assert(
    fc.property(object, (value) => {
      const fields = fieldsOf(schema, value);
      assert.deepEqual([...decodeFields(encodeFields(fields)).keys()].sort(), [...fields.keys()].sort());
    }),
  );
});

test('what is merged twice is merged once', () => {
  fc.assert(
    fc.property(object, object, (base, over) => {
      const once = mergeFields(schema, base, over);
      assert.deepEqual(mergeFields(schema, once, over), once);
    }),
  );
});

test('merging alters neither the base nor what is laid over it', () => {
  fc.assert(
    fc.property(object, object, (base, over) => {
      const before = structuredClone([base, over]);
      mergeFields(schema, base, over);
      assert.deepEqual([base, over], before);
    }),
  );
});

test('an object whose every field is removed sets none of them any more', () => {
  fc.assert(
    fc.property(object, (value) => {
      const fields = fieldsOf(schema, value);
      const outermostFirst = [...fields.values()].sort((a, b) => a.length - b.length);
      const rest = structuredClone(value);
      for (const path of outermostFirst) removeField(schema, rest, path);
      // Containers that became empty are fields of their own; no other may be left.
      const containers = ['f:extra', 'f:spec\nf:items', 'f:spec\nf:tags', 'f:spec'];
      assert.deepEqual(
        keysOf(rest).filter((key) => !containers.includes(key)),
        [],
      );
    }),
  );
});
