// Whether an object is made of what its kind is made of: for programs that read what a store holds, whoever put it there. Types
// count here, and what a kind says of itself as a whole; other values, such as an address in a list that is none, are for
// whoever reads them to find.
import { isObject, type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import { kubernetesShapes } from './kubernetes/shapes.ts';
import type { Resource, ResourceKind, Salvage } from './resource.ts';
import { wrongType } from './wrong-type.ts';

const texts: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };
const metadataShape: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    namespace: { type: 'string' },
    uid: { type: 'string' },
    deletionTimestamp: { type: 'string' },
    labels: texts,
    annotations: texts,
  },
  required: ['name'],
};

/** 'spec.nets[1] must be a string'; undefined when readers may take the object for one of its kind. */
export function misfit<T extends Resource>(kind: ResourceKind<T>, object: T): string | undefined {
  const schema = kind.schema ? jsonSchemaOf(kind.schema) : kubernetesShapes[kind.plural];
  return (
    misfitIn(metadataShape, object.metadata, 'metadata') ??
    (schema && misfitIn(schema, object, '')) ??
    kind.flaw?.(object)
  );
}

/** For readers that cannot do without the object, and cope with anything that is missing in it. */
export function salvageSoundPart<T extends Resource>(kind: ResourceKind<T>, object: Resource): Salvage<T> {
  return { object: soundPart(kind, object), how: 'what else it says is used' };
}

/** The object without what is of another type than it should be; what its kind requires of the object itself is empty then. */
export function soundPart<T extends Resource>(kind: ResourceKind<T>, object: Resource): T {
  const schema = kind.schema ? jsonSchemaOf(kind.schema) : kubernetesShapes[kind.plural];
  const metadata = partIn(metadataShape, object.metadata);
  const part = (schema ? partIn(schema, { ...object, metadata }) : { ...object, metadata }) as T;
  const required = (schema?.required ?? []).filter((name) => schema?.properties?.[name]?.type === 'object');
  return { ...Object.fromEntries(required.map((name) => [name, {}])), ...part };
}

/** An object's labels as it says them; undefined where these cannot be read, so that nobody knows what they would be selected by. */
export function labelsOf({ metadata }: Resource): Readonly<Record<string, string>> | undefined {
  const labels: Readonly<Record<string, string>> | undefined = metadata.labels;
  if (labels === undefined) return {};
  return misfitIn(texts, labels, '') === undefined ? labels : undefined;
}

/** Whatever was written as the spec; undefined when that has no fields. */
export function fieldsOf(object: Resource): Readonly<Record<string, unknown>> | undefined {
  const { spec } = object as { readonly spec?: unknown };
  return isObject(spec) ? spec : undefined;
}

/** Undefined when nothing is left. Of a list goes what would lack something. */
function partIn(schema: JsonSchema, value: unknown): unknown {
  if (value === null && schema.nullable) return value;
  if (wrongType(schema, value)) return undefined;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return value;
    return value
      .map((item) => partIn(items, item))
      .filter((item) => item !== undefined && misfitIn(items, item, '') === undefined);
  }
  if (!isObject(value)) return value;
  const parts = Object.entries(value).map(([name, member]) => {
    const property = memberOf(schema, name);
    return [name, property ? partIn(property, member) : member] as const;
  });
  return Object.fromEntries(parts.filter(([, part]) => part !== undefined));
}

function memberOf(schema: JsonSchema, name: string): JsonSchema | undefined {
  return Object.hasOwn(schema.properties ?? {}, name)
    ? schema.properties?.[name]
    : schema.additionalProperties;
}

/** Fields that nobody knows do no harm: nobody reads them. */
function misfitIn(schema: JsonSchema, value: unknown, path: string): string | undefined {
  if (value === null && schema.nullable) return undefined;
  const wanted = wrongType(schema, value);
  if (wanted) return `${path || 'it'} must be ${wanted}`;
  if (Array.isArray(value)) {
    const { items } = schema;
    return items && firstOf(value.entries(), ([index, item]) => misfitIn(items, item, `${path}[${index}]`));
  }
  if (!isObject(value)) return undefined;
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  const missing = schema.required?.find((name) => value[name] === undefined);
  if (missing !== undefined) return `${at(missing)} is required`;
  return firstOf(Object.entries(value), ([name, member]) => {
    const property = memberOf(schema, name);
    return property && member !== undefined ? misfitIn(property, member, at(name)) : undefined;
  });
}

function firstOf<T>(values: Iterable<T>, find: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
