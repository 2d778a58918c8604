// Removes, in place, what a schema's objects need not say: empty maps and lists of built-in kinds, nulls of custom ones.
import { isObject, type Json } from '../json.ts';
import type { Schema } from './schema.ts';

/** A built-in kind's maps and lists are absent when there is nothing in them, as Go writes them; those that are required stay. */
export function dropEmpty(schema: Schema, value: Json | undefined): void {
  eachChild(schema, value, dropEmpty);
  if (!isObject(value)) return;
  for (const [field, fieldSchema] of Object.entries(schema.properties ?? {})) {
    const isCollection = fieldSchema.type === 'array' || fieldSchema.additionalProperties !== undefined;
    if (!isCollection || schema.required?.includes(field)) continue;
    const held = value[field];
    if ((isObject(held) || Array.isArray(held)) && Object.keys(held).length === 0) delete value[field];
  }
}

/** A null is as good as nothing where the schema neither allows it nor has a default, which would take its place. */
export function dropNulls(schema: Schema, value: Json | undefined): void {
  eachChild(schema, value, dropNulls);
  if (!isObject(value)) return;
  for (const field of Object.keys(value)) {
    if (value[field] !== null) continue;
    const fieldSchema = childOf(schema, field);
    if (fieldSchema && !fieldSchema.nullable && fieldSchema.default === undefined) delete value[field];
  }
}

function eachChild(
  schema: Schema,
  value: Json | undefined,
  visit: (schema: Schema, value: Json | undefined) => void,
): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) for (const item of value) visit(items, item);
  } else if (isObject(value)) {
    for (const field of Object.keys(value)) {
      const fieldSchema = childOf(schema, field);
      if (fieldSchema) visit(fieldSchema, value[field]);
    }
  }
}

function childOf({ properties, additionalProperties }: Schema, field: string): Schema | undefined {
  if (properties && Object.hasOwn(properties, field)) return properties[field];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
