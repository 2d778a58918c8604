import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CustomResourceDefinition, crds, pods, toCrd } from './index.ts';

/** Calico's published fields: kind, path, type and constraints, tab-separated. */
const facts = readFileSync(join(import.meta.dirname, '../../test/data/crd-fields.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [kind = '', path = '', type = '', constraints = ''] = line.split('\t');
    return { kind, path, type, constraints };
  });

type Schema = Record<string, unknown>;

function schemaOf(crd: CustomResourceDefinition): Schema {
  return (crd.spec.versions[0] as { schema: { openAPIV3Schema: Schema } }).schema.openAPIV3Schema;
}

/** The schema at "spec.list[].map{}.field", and whether its parent requires it. */
function at(root: Schema, path: string): { schema: Schema | undefined; required: boolean } {
  let schema: Schema | undefined = root;
  let required = false;
  for (const step of path.match(/[^.[\]{}]+|\[\]|\{\}/g) ?? []) {
    const parent: Schema | undefined = schema;
    required = ((parent?.required as string[] | undefined) ?? []).includes(step);
    if (step === '[]') schema = parent?.items as Schema | undefined;
    else if (step === '{}') schema = parent?.additionalProperties as Schema | undefined;
    else schema = (parent?.properties as Record<string, Schema> | undefined)?.[step];
  }
  return { schema, required };
}

const bounds = [
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'format',
  'pattern',
];

/** What a generated schema says, in the words of the facts; rules are counted nowhere. */
function describe(schema: Schema, required: boolean): string[] {
  const said: string[] = required ? ['required'] : [];
  for (const keyword of bounds) {
    if (schema[keyword] !== undefined) said.push(`${keyword}=${schema[keyword]}`);
  }
  if (schema.enum) said.push(`enum=${(schema.enum as string[]).join('|')}`);
  if (schema.default !== undefined) said.push(`default=${String(schema.default).toLowerCase()}`);
  if (schema.nullable) said.push('nullable=True');
  if (schema['x-kubernetes-map-type']) said.push(`map-type=${schema['x-kubernetes-map-type']}`);
  if (schema['x-kubernetes-list-type']) said.push(`list-type=${schema['x-kubernetes-list-type']}`);
  return said.sort();
}

function expected(constraints: string): string[] {
  return constraints
    .split(/; (?=[a-zA-Z-]+(?:=|$|;))/)
    .filter((part) => part !== '' && !part.startsWith('cel-rules='))
    .map((part) => (part.startsWith('default=') ? part.toLowerCase() : part))
    .sort();
}

/**
 * The only bounds that we state and Calico does not: an API server lets a rule read a text or a list only within bounds.
 * Nothing that Calico takes is longer, or would fit into one stored object.
 */
function boundOfOurs(kind: string, path: string): string[] {
  if (/\.(nets|notNets)\[\]$/.test(path)) return ['maxLength=43'];
  return kind.endsWith('NetworkSet') && path === 'spec.nets' ? ['maxItems=100000'] : [];
}

for (const crd of crds().filter(({ spec }) => spec.group === 'projectcalico.org')) {
  const kind = crd.spec.names.kind;
  const mine = facts.filter((fact) => fact.kind === kind);

  test(`the CRD of ${kind} says of every field what Calico's says`, () => {
    assert.ok(mine.length > 0, 'no facts about this kind');
    for (const fact of mine) {
      const { schema, required } = at(schemaOf(crd), fact.path);
      assert.ok(schema, `${fact.path} is missing`);
      const type = schema['x-kubernetes-int-or-string'] ? 'int-or-string' : schema.type;
      assert.equal(type, fact.type, fact.path);
      const wanted = [...expected(fact.constraints), ...boundOfOurs(kind, fact.path)].sort();
      assert.deepEqual(describe(schema, required), wanted, fact.path);
    }
  });

  test(`the CRD of ${kind} has no field that Calico's lacks`, () => {
    const known = new Set(mine.map((fact) => fact.path));
    const visit = (schema: Schema, path: string) => {
      if (path !== '' && !known.has(path)) assert.fail(`${path} is not among the facts`);
      for (const [name, property] of Object.entries((schema.properties as Record<string, Schema>) ?? {})) {
        if (path === '' && ['apiVersion', 'kind', 'metadata'].includes(name)) continue;
        visit(property, path === '' ? name : `${path}.${name}`);
      }
      if (schema.items) visit(schema.items as Schema, `${path}[]`);
      if (schema.additionalProperties) visit(schema.additionalProperties as Schema, `${path}{}`);
    };
    visit(schemaOf(crd), '');
  });
}

test("every kind of Calico's has a CRD", () => {
  const described = new Set(crds().map((crd) => crd.spec.names.kind));
  for (const { kind } of facts) assert.ok(described.has(kind), `${kind} has none`);
});

test('a CRD is plain JSON', () => {
  for (const crd of crds()) assert.deepEqual(JSON.parse(JSON.stringify(crd)), crd);
});

test('a kind that Kubernetes serves itself has no CRD', () => {
  assert.throws(() => toCrd(pods), /Cannot make a CRD of "Pod"/);
});
