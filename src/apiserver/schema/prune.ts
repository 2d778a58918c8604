// Removes, in place, the fields that a schema does not know, and tells which they were.
import { isObject, type Json } from '../json.ts';
import { type Schema, string as stringSchema } from './schema.ts';

/** What a Kubernetes object always has at its top, and an embedded one too. */
const topLevel = new Set(['apiVersion', 'kind', 'metadata']);

/** Returns the paths of the removed fields ("spec.foo", "spec.rules[0].bar"); `isResource` keeps apiVersion, kind and metadata. */
export function pruneUnknown(schema: Schema, value: Json | undefined, isResource = true): string[] {
  const removed: string[] = [];
  prune(schema, value, '', isResource, removed);
  return removed;
}

function prune(
  schema: Schema,
  value: Json | undefined,
  path: string,
  isResource: boolean,
  removed: string[],
): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      prune(schema.items ?? keepAll(schema), item, `${path}[${index}]`, false, removed);
    }
    return;
  }
  if (!isObject(value)) return;
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true;
  for (const field of Object.keys(value)) {
    if (isResource && topLevel.has(field)) continue;
    const child = childSchema(schema, field);
    const at = path === '' ? field : `${path}.${field}`;
    if (child) prune(child, value[field], at, child['x-kubernetes-embedded-resource'] === true, removed);
    else if (!keeps) {
      delete value[field];
      removed.push(at);
    }
  }
}

/** The schema of one field; undefined when the schema knows nothing of it. */
export function childSchema(schema: Schema | undefined, field: string): Schema | undefined {
  const { properties, additionalProperties: extra } = schema ?? {};
  if (properties && Object.hasOwn(properties, field)) return properties[field];
  if (extra === true) return { 'x-kubernetes-preserve-unknown-fields': true };
  return extra === false ? undefined : extra;
}

function keepAll(schema: Schema): Schema {
  return schema['x-kubernetes-preserve-unknown-fields'] ? schema : stringSchema;
}
