// The types that JSON Schema knows, in words.
import { isObject, type JsonSchema } from './json-schema.ts';

/** What the value should have been, or undefined when its type is right. */
export function wrongType(schema: JsonSchema, value: unknown): string | undefined {
  if (schema['x-kubernetes-int-or-string']) {
    return typeof value === 'string' || Number.isInteger(value) ? undefined : 'an integer or a string';
  }
  switch (schema.type) {
    case 'object':
      return isObject(value) ? undefined : 'an object';
    case 'array':
      return Array.isArray(value) ? undefined : 'a list';
    case 'string':
      return typeof value === 'string' ? undefined : 'a string';
    case 'integer':
      return Number.isInteger(value) ? undefined : 'an integer';
    case 'number':
      return typeof value === 'number' ? undefined : 'a number';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case undefined:
      return undefined;
  }
}
