// Whether an object is made of what its kind is made of: for programs that read what a store holds, whoever put it there. Types
// count here, and what a kind says of itself as a whole; other values, such as an address in a list that is none, are for
// whoever reads them to find.
import { isObject, type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import { kubernetesShapes } from './kubernetes/shapes.ts';
import type { Resource, ResourceKind } from './resource.ts';
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
    const property = Object.hasOwn(schema.properties ?? {}, name)
      ? schema.properties?.[name]
      : schema.additionalProperties;
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
