import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../json.ts';
import type { Schema, ValidationRule } from '../schema/schema.ts';
import { ruleNameOf } from './field-name.ts';
import { compileRules } from './rule-tree.ts';
import { validateRules } from './validate.ts';

const string: Schema = { type: 'string' };
const integer: Schema = { type: 'integer' };

function objectOf(properties: { [field: string]: Schema }, ...rules: ValidationRule[]): Schema {
  return { type: 'object', properties, ...withRules(...rules) };
}

function withRules(...rules: ValidationRule[]): Schema {
  return rules.length > 0 ? { 'x-kubernetes-validations': rules } : {};
}

/** Each fault as "field: message". */
function faultsOf(schema: Schema, value: Json, old?: Json): string[] {
  const { root, faults } = compileRules(schema, 'schema');
  assert.deepEqual(faults, []);
  assert.ok(root);
  return validateRules(root, value, old).map(({ field, message }) => `${field}: ${message}`);
}

function refusalsOf(schema: Schema): string[] {
  return compileRules(schema, 'schema').faults.map(({ field, message }) => `${field}: ${message}`);
}

const positive: ValidationRule = { rule: 'self > 0', message: 'must be positive' };
const immutable: ValidationRule = { rule: 'self == oldSelf', message: 'is immutable' };

test('a rule speaks of each value of the schema that carries it, and the fault names where', () => {
  const number = { ...integer, ...withRules(positive) };
  const schema = objectOf({
    spec: objectOf({
      one: number,
      list: { type: 'array', items: number },
      map: { type: 'object', additionalProperties: number },
    }),
  });
  const value = { spec: { one: 0, list: [1, -1, 2, -2], map: { good: 1, bad: 0 } } };
  assert.deepEqual(faultsOf(schema, value), [
    'spec.one: Invalid value: "integer": must be positive',
    'spec.list[1]: Invalid value: "integer": must be positive',
    'spec.list[3]: Invalid value: "integer": must be positive',
    'spec.map[bad]: Invalid value: "integer": must be positive',
  ]);
});

test('a rule of an absent or null field is not asked', () => {
  const schema = objectOf({ count: { ...integer, nullable: true, ...withRules(positive) } });
  assert.deepEqual(faultsOf(schema, {}), []);
  assert.deepEqual(faultsOf(schema, { count: null }), []);
});

test('a rule of the whole object has no path', () => {
  const schema = objectOf({}, { rule: "self.metadata.name == 'default'", message: 'must be "default"' });
  assert.deepEqual(faultsOf(schema, { metadata: { name: 'other' } }), [
    '<nil>: Invalid value: "object": must be "default"',
  ]);
});

test('an embedded resource shows its kind and name to rules', () => {
  const template: Schema = {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
    ...withRules({ rule: "self.kind == 'Pod' && self.metadata.name != ''" }),
  };
  const value = { template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } } };
  assert.deepEqual(faultsOf(objectOf({ template }), value), []);
});

test('a rule without a message is quoted', () => {
  const schema = objectOf({ count: { ...integer, ...withRules({ rule: ' self > 0 ' }) } });
  assert.deepEqual(faultsOf(schema, { count: 0 }), [
    'count: Invalid value: "integer": failed rule: self > 0',
  ]);
});

test('a messageExpression makes the message, and message stands in where it fails', () => {
  const rule = { rule: 'self.min <= self.max', message: 'out of order' };
  const schema = (messageExpression: string) =>
    objectOf({
      spec: objectOf({ min: integer, max: integer, name: string }, { ...rule, messageExpression }),
    });
  const value = { spec: { min: 3, max: 1 } };
  assert.deepEqual(faultsOf(schema('"%d is above %d".format([self.min, self.max])'), value), [
    'spec: Invalid value: "object": 3 is above 1',
  ]);
  for (const failing of ['self.name', '""', '"two\\nlines"']) {
    assert.deepEqual(faultsOf(schema(failing), value), ['spec: Invalid value: "object": out of order']);
  }
});

test('a reason and a fieldPath shape the fault', () => {
  const rule = { rule: 'self.min > 0', message: 'not so' };
  const spec = (more: Partial<ValidationRule>) =>
    objectOf({
      spec: objectOf(
        { min: integer, 'a.b': string, labels: { type: 'object', additionalProperties: string } },
        { ...rule, ...more },
      ),
    });
  const fault = (more: Partial<ValidationRule>) => faultsOf(spec(more), { spec: { min: 0 } })[0];
  assert.equal(fault({ reason: 'FieldValueForbidden', fieldPath: '.min' }), 'spec.min: Forbidden: not so');
  assert.equal(
    fault({ reason: 'FieldValueRequired', fieldPath: "['a.b']" }),
    'spec.a.b: Required value: not so',
  );
  assert.equal(fault({ reason: 'FieldValueDuplicate' }), 'spec: Duplicate value: "object"');
  assert.equal(
    fault({ reason: 'FieldValueInvalid', fieldPath: '.labels.app' }),
    'spec.labels[app]: Invalid value: "object": not so',
  );
});

test('a transition rule is asked on updates of what was there before', () => {
  const schema = objectOf({ spec: objectOf({ name: { ...string, ...withRules(immutable) } }) });
  assert.deepEqual(faultsOf(schema, { spec: { name: 'a' } }), []);
  assert.deepEqual(faultsOf(schema, { spec: { name: 'a' } }, { spec: {} }), []);
  assert.deepEqual(faultsOf(schema, { spec: { name: 'a' } }, { spec: { name: 'a' } }), []);
  assert.deepEqual(faultsOf(schema, { spec: { name: 'b' } }, { spec: { name: 'a' } }), [
    'spec.name: Invalid value: "string": is immutable',
  ]);
});

test('a transition rule with an optional oldSelf is asked on creation too', () => {
  const rule = {
    rule: 'oldSelf.hasValue() || self == "new"',
    message: 'must start as "new"',
    optionalOldSelf: true,
  };
  const schema = objectOf({ phase: { ...string, ...withRules(rule) } });
  assert.deepEqual(faultsOf(schema, { phase: 'new' }), []);
  assert.deepEqual(faultsOf(schema, { phase: 'done' }, { phase: 'new' }), []);
  assert.deepEqual(faultsOf(schema, { phase: 'done' }), [
    'phase: Invalid value: "string": must start as "new"',
  ]);
  const grows = { rule: 'self >= oldSelf.orValue(0)', message: 'must not shrink', optionalOldSelf: true };
  const count = objectOf({ count: { ...integer, ...withRules(grows) } });
  assert.deepEqual(faultsOf(count, { count: -1 }), ['count: Invalid value: "integer": must not shrink']);
  assert.deepEqual(faultsOf(count, { count: 1 }, { count: 2 }), [
    'count: Invalid value: "integer": must not shrink',
  ]);
});

test('items of a map list and values of a map are compared with those of the same key', () => {
  const schema = objectOf({
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: objectOf({ name: string, port: { ...integer, ...withRules(immutable) } }),
    },
    map: { type: 'object', additionalProperties: { ...integer, ...withRules(immutable) } },
  });
  const old = {
    ports: [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ],
    map: { x: 1, y: 2 },
  };
  const value = {
    ports: [
      { name: 'b', port: 3 },
      { name: 'new', port: 9 },
      { name: 'a', port: 1 },
    ],
    map: { y: 1, z: 5 },
  };
  assert.deepEqual(faultsOf(schema, value, old), [
    'ports[0].port: Invalid value: "integer": is immutable',
    'map[y]: Invalid value: "integer": is immutable',
  ]);
});

test('lists of sets and maps are equal whatever their order', () => {
  const lists = {
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: string },
    map: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: objectOf({ name: string, size: integer }),
    },
  } as const;
  const a = { name: 'a', size: 1 };
  const b = { name: 'b', size: 2 };
  const old = { spec: { set: ['x', 'y'], map: [a, b] } };
  const byPart = objectOf({
    spec: objectOf(lists, { rule: 'self.set == oldSelf.set && self.map == oldSelf.map' }),
  });
  const whole = objectOf({ spec: objectOf(lists, immutable) });
  for (const schema of [byPart, whole]) {
    assert.deepEqual(faultsOf(schema, { spec: { set: ['y', 'x'], map: [b, a] } }, old), []);
    assert.equal(faultsOf(schema, { spec: { set: ['y'], map: [b, a] } }, old).length, 1);
    assert.equal(faultsOf(schema, { spec: { set: ['y', 'x'], map: [b, { ...a, size: 3 }] } }, old).length, 1);
  }
});

test('what an update leaves as it was is not refused for a rule that it broke before', () => {
  const schema = objectOf({
    spec: objectOf({
      kept: { ...integer, ...withRules(positive) },
      list: { type: 'array', items: { ...integer, ...withRules(positive) } },
    }),
  });
  const old = { spec: { kept: -1, list: [-1] } };
  assert.deepEqual(faultsOf(schema, { spec: { kept: -1, list: [-1] } }, old), []);
  assert.deepEqual(faultsOf(schema, { spec: { kept: -2, list: [-1] } }, old), [
    'spec.kept: Invalid value: "integer": must be positive',
  ]);
});

const refused: readonly (readonly [rule: ValidationRule, refusal: string])[] = [
  [
    { rule: 'self.bogus == 1' },
    'rule: Invalid value: "self.bogus == 1": compilation failed: ERROR: <input>:1:6: No such key: bogus',
  ],
  [
    { rule: 'has(self.bogus)' },
    'rule: Invalid value: "has(self.bogus)": compilation failed: ERROR: <input>:1:10: No such key: bogus',
  ],
  [
    { rule: 'self.parts.all(p, has(p.bogus))' },
    'rule: Invalid value: "self.parts.all(p, has(p.bogus))": compilation failed: ERROR: <input>:1:25: No such key: bogus',
  ],
  [
    { rule: 'has(self)' },
    'rule: Invalid value: "has(self)": compilation failed: ERROR: <input>:1:5: invalid argument to has() macro',
  ],
  [
    { rule: 'self.count ==' },
    'rule: Invalid value: "self.count ==": compilation failed: ERROR: <input>:1:14: Unexpected token: EOF',
  ],
  [
    { rule: 'self.count == "a"' },
    'rule: Invalid value: "self.count == \\"a\\"": compilation failed: ERROR: <input>:1:1: no such overload: int == string',
  ],
  [{ rule: 'self.count' }, 'rule: Invalid value: "self.count": cel expression must evaluate to a bool'],
  [
    { rule: 'self.name.isLarge()' },
    'rule: Invalid value: "self.name.isLarge()": compilation failed: ERROR: <input>:1:1: found no matching overload for \'string.isLarge()\'',
  ],
  [
    { rule: 'other == 1' },
    'rule: Invalid value: "other == 1": compilation failed: ERROR: <input>:1:1: Unknown variable: other',
  ],
  [
    { rule: 'self.metadata.labels == {}' },
    'rule: Invalid value: "self.metadata.labels == {}": compilation failed: ERROR: <input>:1:15: No such key: labels',
  ],
  [{ rule: ' ' }, 'rule: Required value: rule is not specified'],
  [
    { rule: 'true', message: 'a\nb' },
    'message: Invalid value: "a\\nb": message must not contain line breaks',
  ],
  [
    { rule: 'true &&\ntrue' },
    'message: Required value: message must be specified if rule contains line breaks',
  ],
  [
    { rule: 'true', messageExpression: '1' },
    'messageExpression: Invalid value: "1": cel expression must evaluate to a string',
  ],
  [
    { rule: 'true', fieldPath: '.bogus' },
    'fieldPath: Invalid value: ".bogus": fieldPath must be a valid path',
  ],
  [
    { rule: 'true', fieldPath: '.list[0]' },
    'fieldPath: Invalid value: ".list[0]": fieldPath must be a valid path',
  ],
];

test('a rule that does not compile, or is incomplete, is refused with its place', () => {
  const parts: Schema = { type: 'array', items: objectOf({ name: string }) };
  const fields = { count: integer, name: string, list: { type: 'array', items: string }, parts } as const;
  for (const [rule, refusal] of refused) {
    assert.deepEqual(refusalsOf(objectOf(fields, rule)), [`schema.x-kubernetes-validations[0].${refusal}`]);
  }
});

test('the place of a refused rule leads through fields, items and values', () => {
  const bad = { ...string, ...withRules({ rule: 'self' }) };
  const schema = objectOf({
    spec: objectOf({ list: { type: 'array', items: { type: 'object', additionalProperties: bad } } }),
  });
  assert.deepEqual(
    compileRules(schema, 'schema').faults.map(({ field }) => field),
    ['schema.properties[spec].properties[list].items.additionalProperties.x-kubernetes-validations[0].rule'],
  );
});

test('a transition rule below a list without keys is refused', () => {
  const schema = objectOf({ list: { type: 'array', items: { ...string, ...withRules(immutable) } } });
  assert.deepEqual(refusalsOf(schema), [
    'schema.properties[list].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": ' +
      'oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[list]',
  ]);
});

test('no two fields have the same name in rules', () => {
  const field = fc.string({
    unit: fc.constantFrom('a', 'in', '_', '.', '-', '/', 'dot', 'dash', '7'),
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(field, field, (a, b) => {
      const name = ruleNameOf(a);
      assert.ok(a === b || name === undefined || name !== ruleNameOf(b));
    }),
  );
});
