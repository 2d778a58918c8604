// Fills in what an object leaves out, from the defaults that its kind's schema declares.
import { isObject, type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import type { Resource, ResourceKind } from './resource.ts';

/** A copy with every absent field that has a default; the object itself when its kind has no schema. */
export function withDefaults<T extends Resource>(kind: ResourceKind<T>, object: T): T {
  return kind.schema ? (filled(jsonSchemaOf(kind.schema), object) as T) : object;
}

function filled(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.map((item) => filled(items, item)) : value;
  }
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = { ...value };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (copy[name] === undefined && property.default !== undefined)
      copy[name] = structuredClone(property.default);
    if (copy[name] !== undefined) copy[name] = filled(property, copy[name]);
  }
  const { additionalProperties } = schema;
  if (additionalProperties) {
    for (const name of Object.keys(copy)) copy[name] = filled(additionalProperties, copy[name]);
  }
  return copy;
}
