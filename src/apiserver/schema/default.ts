// Fills in a schema's defaults, in place. Null where the schema does not allow it counts as absent, as in Kubernetes.
import { fieldOf, isObject, type Json, type JsonObject, setField } from '../json.ts';
import type { Schema } from './schema.ts';

export function applyDefaults(schema: Schema, value: Json | undefined): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) applyDefaults(schema.items, item);
    return;
  }
  if (!isObject(value)) return;
  for (const [field, fieldSchema] of Object.entries(schema.properties ?? {})) {
    fillField(value, field, fieldSchema);
    applyDefaults(fieldSchema, fieldOf(value, field));
  }
  const extra = schema.additionalProperties;
  if (!isObject(extra)) return;
  for (const field of Object.keys(value)) {
    if (!schema.properties || !Object.hasOwn(schema.properties, field)) {
      applyDefaults(extra as Schema, value[field]);
    }
  }
}

function fillField(object: JsonObject, field: string, schema: Schema): void {
  const value = fieldOf(object, field);
  if (schema.default === undefined) return;
  if (value === undefined || (value === null && !schema.nullable)) {
    setField(object, field, structuredClone(schema.default));
  }
}
