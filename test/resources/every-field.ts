// Objects that together say every field that a kind has, for tests that nothing is lost. Fields are added to the objects of
// test/data/objects.yaml as long as our own validator takes the result, so that rules between fields are kept.
import { isDeepStrictEqual } from 'node:util';
import { type Resource, type ResourceKind, validate } from '../../src/resources/index.ts';
import type { objectCases } from './objects.ts';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** "[]" leads to the items of a list, "{}" to the values of a map. */
type Path = readonly string[];

/** What a text may be, one of which every field takes. The first are taken by fields that take anything. */
const texts = [
  ...[
    'a',
    'has(a)',
    '10.0.0.0/24',
    'fd00::/120',
    '10.0.0.1',
    'fd00::1',
    '1m30s',
    '5m',
    '2026-01-31T12:00:00Z',
  ],
  ...[
    'Info',
    'Drop',
    'Accept',
    'Disabled',
    'Any',
    'Debug',
    'Off',
    'Strict',
    'Tunnel',
    'Insert',
    'NFT',
    'Auto',
  ],
  ...[
    'WorkloadIPs',
    'BPF',
    'Enabled',
    'Always',
    'TCP',
    'UDP',
    'ICMP',
    'ICMPv6',
    '65000:100',
    'eth0',
    'a=true',
  ],
  ...['host:a', '10/minute', '80:90', 'Continuous', 'Exists', 'In', '0xff', 'GET', 'CalicoIPAM', 'Custom'],
];

/** How many values of a field are tried that only goes along with another. */
const enough = 3;

/** Fields that Calico's schema has, and that no right object says: a rule sends them to the other direction or the other end. */
const forbidden =
  /^spec\.(ingress\.\[\]\.destination\.services|egress\.\[\]\.source\.services|egress\.\[\]\.http)\./;

/** The kind's own examples where they are needed, and the fewest of them. @throws Error that names the fields that nothing says */
export function everyField({ kind, taken }: (typeof objectCases)[number]): Resource[] {
  const schema = kind.schema as Schema;
  const wanted = Object.keys(schema.properties ?? {}).flatMap((name) =>
    fieldsOf(schema.properties?.[name] ?? {}, [name]),
  );
  const isRight = (object: unknown) => validate(kind, object as Resource).length === 0;
  const said = new Set<string>();
  const objects: Resource[] = [];
  for (const example of taken) {
    let object = example;
    for (const path of wanted.filter((path) => !said.has(path.join('.')))) {
      const richer = candidatesOf(schema, object, path).find(isRight);
      if (richer) object = richer as Resource;
    }
    const own = wanted.map((path) => path.join('.')).filter((path) => isSaid(object, path.split('.')));
    if (own.every((path) => said.has(path))) continue;
    for (const path of own) said.add(path);
    objects.push(object);
  }
  const missing = wanted
    .map((path) => path.join('.'))
    .filter((path) => !said.has(path) && !forbidden.test(path));
  if (missing.length > 0) throw new Error(`No ${kind.kind} says ${missing.join(', ')}`);
  return objects;
}

/** The paths of all fields that hold no further ones. */
function fieldsOf(schema: Schema, path: Path): Path[] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([name, inner]) => fieldsOf(inner, [...path, name]));
  }
  if (schema.items) return fieldsOf(schema.items, [...path, '[]']);
  if (schema.additionalProperties) return fieldsOf(schema.additionalProperties, [...path, '{}']);
  return [path];
}

function isSaid(value: unknown, [step, ...rest]: Path): boolean {
  if (value === undefined || value === null) return false;
  if (step === undefined) return true;
  if (step === '[]' || step === '{}') return Object.values(value).some((item) => isSaid(item, rest));
  return isSaid(Reflect.get(Object(value), step), rest);
}

/** Copies of a value that say the field besides, with what its parents require: each with other values for all of that. */
function candidatesOf(schema: Schema, value: unknown, path: Path): unknown[] {
  const [step, ...rest] = path;
  if (step === undefined) return valuesOf(schema);
  if (step === '[]') {
    const [first, ...others] = Array.isArray(value) ? value : [];
    return candidatesOf(schema.items ?? {}, first, rest).map((item) => [item, ...others]);
  }
  const object = { ...Object(value) };
  if (step === '{}') {
    return candidatesOf(schema.additionalProperties ?? {}, object.a, rest).map((a) => ({ ...object, a }));
  }
  const inner = schema.properties?.[step] ?? {};
  let copies = candidatesOf(inner, object[step], rest).map((field) => ({ ...object, [step]: field }));
  for (const name of schema.required ?? []) {
    if (name === step || object[name] !== undefined) continue;
    const fields = minimal(schema.properties?.[name] ?? {}).slice(0, enough);
    copies = copies.flatMap((copy) => fields.map((field) => ({ ...copy, [name]: field })));
  }
  return copies.filter((copy) => !isDeepStrictEqual(copy, value));
}

/** Values with no more than what is required. */
function minimal(schema: Schema): unknown[] {
  if (schema.type === 'array') return schema.items ? minimal(schema.items).map((item) => [item]) : [[]];
  if (schema.type !== 'object') return valuesOf(schema);
  let objects: object[] = [{}];
  for (const name of schema.required ?? []) {
    const fields = minimal(schema.properties?.[name] ?? {}).slice(0, enough);
    objects = objects.flatMap((object) => fields.map((field) => ({ ...object, [name]: field })));
  }
  return objects;
}

const known = new WeakMap<Schema, string[]>();

/** The texts that a field by itself takes. */
function textsOf(schema: Schema): string[] {
  const field = { type: 'object', properties: { value: schema } } as unknown as ResourceKind['schema'] &
    object;
  const [group, version, kind, plural] = ['test', 'v1', 'Field', 'fields'];
  const judge = (value: string) =>
    validate({ group, version, kind, plural, namespaced: false, schema: field }, {
      apiVersion: 'test/v1',
      kind,
      metadata: { name: 'field' },
      value,
    } as Resource);
  const taken = known.get(schema) ?? texts.filter((text) => judge(text).length === 0);
  known.set(schema, taken);
  return taken;
}

function valuesOf(schema: Schema): unknown[] {
  if (schema.enum) return [...schema.enum];
  switch (schema.type) {
    case 'boolean':
      return [true, false];
    case 'integer':
    case 'number':
      return [...new Set([1, 2, 30, 4096, schema.minimum ?? 0, schema.maximum ?? 0])];
    case 'string':
      return textsOf(schema);
    case 'object':
      return [{}];
    case 'array':
      return [[]];
    default:
      return [80, 'TCP', '30000:32767', 'a'];
  }
}
