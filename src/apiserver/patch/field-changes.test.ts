import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, KubeObject } from '../json.ts';
import { builtIn } from '../kinds/resource-type.ts';
import { integer, listByKey, openObject, setOf, strictObject, string } from '../schema/schema.ts';
import { difference, fieldChanges, union } from './field-changes.ts';
import { decodeFields } from './field-set.ts';

const type = builtIn({
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  schema: openObject({
    spec: strictObject({
      items: listByKey(['name'], strictObject({ name: string, size: integer })),
      tags: setOf(string),
      extra: { type: 'object', additionalProperties: true },
    }),
  }),
});

const name = fc.constantFrom('a', 'b', 'c');
const plain = { noNullPrototype: true };
const item = fc.record({ name, size: fc.nat(2) }, plain);
const extra = fc.dictionary(name, fc.oneof(fc.nat(2), fc.dictionary(name, fc.nat(2), plain)), plain);
const spec = fc.record(
  { items: fc.uniqueArray(item, { selector: (one) => one.name }), tags: fc.uniqueArray(name), extra },
  { ...plain, requiredKeys: [] },
);
const object: fc.Arbitrary<KubeObject> = fc
  .record({ spec, labels: fc.dictionary(name, name, plain) }, plain)
  .map(({ spec, labels }) => ({
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name: 'x', labels },
    spec: spec as JsonObject,
  }));

const keysOf = (tree: JsonObject | undefined) => [...decodeFields(tree).keys()].sort();
const allOf = (value: KubeObject) => fieldChanges(type, undefined, value, '').changed;

test('a write that changes nothing changes no field', () => {
  fc.assert(
    fc.property(object, (value) => {
      const { changed, removed } = fieldChanges(type, value, structuredClone(value), '');
      assert.deepEqual([changed, removed], [undefined, undefined]);
    }),
  );
});

test('the old fields without the removed ones and with the changed ones are the new fields', () => {
  fc.assert(
    fc.property(object, object, (old, next) => {
      const { changed, removed } = fieldChanges(type, old, next, '');
      const fields = union(difference(allOf(old), removed), changed);
      assert.deepEqual(keysOf(fields), keysOf(allOf(next)));
    }),
  );
});

test('union and difference of trees are those of the sets that they stand for, and alter neither', () => {
  fc.assert(
    fc.property(object, object, (one, other) => {
      const [a, b] = [allOf(one), allOf(other)];
      const before = structuredClone([a, b]);
      const [inA, inB] = [new Set(keysOf(a)), new Set(keysOf(b))];
      assert.deepEqual(keysOf(union(a, b)), [...new Set([...inA, ...inB])].sort());
      assert.deepEqual(
        keysOf(difference(a, b)),
        [...inA].filter((key) => !inB.has(key)),
      );
      assert.equal(difference(a, a), undefined);
      assert.deepEqual([a, b], before);
    }),
  );
});
