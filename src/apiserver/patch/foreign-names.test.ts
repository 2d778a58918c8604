// Names that every object of JavaScript has something under are names as others are, wherever a user chooses them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../json.ts';
import { compileJsonPath } from '../kinds/json-path.ts';
import { parseLabelSelector } from '../objects/label-selector.ts';
import { applyDefaults } from '../schema/default.ts';
import { openObject, type Schema, strictObject, string } from '../schema/schema.ts';
import { decodeFields, encodeFields, fieldsOf, mergeFields } from './field-set.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
const parse = (text: string) => JSON.parse(text) as { [field: string]: Json };
const open: Schema = openObject({});

for (const name of names) {
  test(`a patch reaches nothing by "${name}" that the document does not have`, () => {
    const document = parse('{"metadata":{"name":"a"}}');
    for (const path of [`/${name}/polluted`, `/metadata/${name}/polluted`, `/${name}/prototype/polluted`])
      assert.throws(
        () => applyJsonPatch(document, [{ op: 'add', path, value: 1 }]),
        /an error in our request/,
      );
    const copied = applyJsonPatch(document, [{ op: 'copy', from: `/${name}`, path: '/x' }]);
    assert.deepEqual(copied, { metadata: { name: 'a' }, x: null });
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  });

  test(`every way of patching sets "${name}" as it sets any field`, () => {
    const document = parse('{"data":{}}');
    const patch = parse(`{"data":{"${name}":{"polluted":"yes"}}}`);
    const results = [
      applyJsonPatch(document, [{ op: 'add', path: `/data/${name}`, value: { polluted: 'yes' } }]),
      applyMergePatch(document, patch),
      applyStrategicMergePatch(open, document, patch),
      mergeFields(open, document, patch),
    ];
    for (const result of results) assert.equal(JSON.stringify(result), JSON.stringify(patch));
    const again = mergeFields(open, patch, parse(`{"data":{"${name}":{"more":"1"}}}`));
    assert.equal(JSON.stringify(again), `{"data":{"${name}":{"polluted":"yes","more":"1"}}}`);
    const fields = fieldsOf(open, parse(`{"${name}":{"a":1}}`));
    assert.deepEqual([...decodeFields(encodeFields(fields)).keys()], [...fields.keys()]);
    assert.equal(({} as { polluted?: string }).polluted, undefined);
  });

  test(`nobody has the label "${name}", nor the field, who does not set it`, () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: {} } };
    if (name !== '__proto__') {
      assert.equal(parseLabelSelector(name)(object), false);
      assert.equal(parseLabelSelector(`!${name}`)(object), true);
    }
    assert.equal(compileJsonPath(`.metadata['${name}']`)(object), undefined);
    const schema = strictObject(Object.fromEntries([[name, { ...string, default: 'd' }]]));
    const value = parse('{}');
    applyDefaults(schema, value);
    assert.equal(JSON.stringify(value), `{"${name}":"d"}`);
  });
}
