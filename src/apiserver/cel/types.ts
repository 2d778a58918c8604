// The CEL types of a schema's values, and the values themselves as CEL wants them: integers apart from doubles, timestamps
// and durations read, objects as messages that have the fields of the schema and no others.
// Source: https://kubernetes.io/docs/reference/using-api/cel/#type-system-integration
import type { Environment } from '@marcbachmann/cel-js';
import { isObject, type Json } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import { durationOf } from './duration.ts';
import { isSame, unordered } from './equal.ts';
import { ruleNameOf } from './field-name.ts';

/** How the values of one schema appear in rules. */
export interface CelType {
  /** As in function signatures: "int", "list<string>", "object.spec". */
  readonly name: string;
  /** The CEL value of a JSON value that is valid under the schema. */
  readonly of: (value: Json) => unknown;
}

/** Registers the types of a whole object's schema and returns that of each part. */
export function declareTypes(environment: Environment, root: Schema): ReadonlyMap<Schema, CelType> {
  const types = new Map<Schema, CelType>();
  declare(environment, root, 'object', true, types);
  return types;
}

/** `name` is for the type of an object, should it be one. */
function declare(
  environment: Environment,
  schema: Schema,
  name: string,
  isResource: boolean,
  types: Map<Schema, CelType>,
): CelType {
  const made = makeType(environment, schema, name, isResource, types);
  // Null has no place in a typed field, so a nullable one is checked when its rule runs.
  const type = schema.nullable ? { name: 'dyn', of: (value: Json) => value && made.of(value) } : made;
  types.set(schema, type);
  return type;
}

function makeType(
  environment: Environment,
  schema: Schema,
  name: string,
  isResource: boolean,
  types: Map<Schema, CelType>,
): CelType {
  if (schema['x-kubernetes-int-or-string']) return anyType;
  switch (schema.type) {
    case 'boolean':
      return { name: 'bool', of: (value) => value };
    case 'integer':
      return { name: 'int', of: (value) => (typeof value === 'number' ? BigInt(value) : value) };
    case 'number':
      return { name: 'double', of: (value) => value };
    case 'string':
      return (
        (Object.hasOwn(stringTypes, schema.format ?? '') ? stringTypes[schema.format ?? ''] : undefined) ?? {
          name: 'string',
          of: (value) => value,
        }
      );
    case 'array':
      return listType(
        environment,
        declare(environment, schema.items ?? {}, `${name}.item`, false, types),
        schema['x-kubernetes-list-type'],
      );
    case 'object':
      break;
    default:
      return anyType;
  }
  const extra = schema.additionalProperties;
  if (!schema.properties && !isResource && isObject(extra)) {
    return mapType(declare(environment, extra as Schema, `${name}.value`, false, types));
  }
  const fields = new Map<string, Field>();
  for (const [field, fieldSchema] of Object.entries(schema.properties ?? {})) {
    const ruleName = ruleNameOf(field);
    if (ruleName === undefined) continue;
    const isEmbedded = fieldSchema['x-kubernetes-embedded-resource'] === true;
    const type = declare(environment, fieldSchema, `${name}.${ruleName}`, isEmbedded, types);
    fields.set(ruleName, { field, type });
  }
  if (isResource) addObjectMeta(environment, name, fields);
  return objectType(environment, name, fields);
}

interface Field {
  /** As it stands in the JSON. */
  readonly field: string;
  readonly type: CelType;
}

const text: CelType = { name: 'string', of: (value) => value };

/** Whatever its schema says, a resource shows these fields of its metadata to rules and no others. */
function addObjectMeta(environment: Environment, name: string, fields: Map<string, Field>): void {
  for (const field of ['apiVersion', 'kind']) fields.set(field, { field, type: text });
  const shown = ['name', 'generateName'].map((field) => [field, { field, type: text }] as const);
  const type = objectType(environment, `${name}.objectMeta`, new Map(shown));
  fields.set('metadata', { field: 'metadata', type });
}

function objectType(environment: Environment, name: string, fields: ReadonlyMap<string, Field>): CelType {
  // The CEL library tells types apart by constructor, so each gets its own.
  class Message extends Map<string, unknown> {}
  const declared = Object.fromEntries([...fields].map(([field, { type }]) => [field, type.name]));
  environment.registerType(name, { ctor: Message, fields: declared });
  environment.registerOperator(`${name} == ${name}`, isSame);
  return {
    name,
    of(value) {
      const message = new Message();
      if (!isObject(value)) return message;
      for (const [ruleName, { field, type }] of fields) {
        const fieldValue = Object.hasOwn(value, field) ? value[field] : undefined;
        if (fieldValue !== undefined) message.set(ruleName, type.of(fieldValue));
      }
      return message;
    },
  };
}

function listType(
  environment: Environment,
  item: CelType,
  semantics: Schema['x-kubernetes-list-type'],
): CelType {
  const name = `list<${item.name}>`;
  const read = (value: Json) => (Array.isArray(value) ? value.map(item.of) : []);
  switch (semantics) {
    case 'set':
      // A Set equals a list whatever the order. The CEL library takes it for a list, but asks every list to join itself.
      return {
        name,
        of: (value) => {
          const items = read(value);
          return Object.assign(new Set(items), { join: (by?: string) => items.join(by) });
        },
      };
    case 'map':
      // Items that may be null are of no type that equality could be declared for.
      if (item.name !== 'dyn') environment.registerOperator(`${name} == ${name}`, isSame);
      return { name, of: (value) => unordered(read(value)) };
    default:
      return { name, of: read };
  }
}

function mapType(item: CelType): CelType {
  return {
    name: `map<string, ${item.name}>`,
    of: (value) => mapOf(value, item.of),
  };
}

function mapOf(value: Json, of: (value: Json) => unknown): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (const [key, one] of Object.entries(isObject(value) ? value : {})) {
    if (one !== undefined) map.set(key, of(one));
  }
  return map;
}

/** A value whose type is known only when it is there. */
const anyType: CelType = {
  name: 'dyn',
  of(value) {
    if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
    if (Array.isArray(value)) return value.map(anyType.of);
    return isObject(value) ? mapOf(value, anyType.of) : value;
  },
};

const timestamp: CelType = {
  name: 'google.protobuf.Timestamp',
  of: (value) => new Date(String(value)),
};

const stringTypes: Readonly<Record<string, CelType>> = {
  byte: { name: 'bytes', of: (value) => new Uint8Array(Buffer.from(String(value), 'base64')) },
  date: timestamp,
  'date-time': timestamp,
  duration: { name: 'google.protobuf.Duration', of: (value) => durationOf(String(value)) },
};
