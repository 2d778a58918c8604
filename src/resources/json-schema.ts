// The part of JSON Schema that a kind's schema is made of, as the validator and the defaulter read it.
import type { TSchema } from 'typebox';
import type { FieldOptions } from './field.ts';

export interface JsonSchema extends FieldOptions {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema;
  items?: JsonSchema;
  enum?: (string | number)[];
  'x-kubernetes-int-or-string'?: true;
}

/** TypeBox's schemas are JSON Schema objects; field.ts builds no others than these. */
export function jsonSchemaOf(schema: TSchema): JsonSchema {
  return schema as JsonSchema;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
