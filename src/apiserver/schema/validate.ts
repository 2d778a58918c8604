// Checks a value against a structural schema and words the faults as Kubernetes does.
// CEL rules (`x-kubernetes-validations`) are cel/'s work, once a value has passed here.
import { fieldOf, isEqual, isObject, type Json } from '../json.ts';
import type { FieldFault } from '../status-error.ts';
import { isFormat } from './formats.ts';
import { compilePattern } from './pattern.ts';
import type { Schema } from './schema.ts';

/** Every fault of `value`, in the order of its fields; empty when there is none. `path` is '' for a whole object. */
export function validateSchema(schema: Schema, value: Json, path = ''): FieldFault[] {
  const faults: FieldFault[] = [];
  validate(schema, value, path, faults);
  return faults;
}

const shown = (value: Json) => (isObject(value) || Array.isArray(value) ? typeName(value) : value);

export function invalidValue(field: string, value: Json | undefined, why: string): FieldFault {
  return invalidShown(field || '<nil>', JSON.stringify(shown(value ?? null)), why);
}

/** The same of a value that is shown in other words than its own. */
export function invalidShown(field: string, text: string, why: string): FieldFault {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${text}: ${why}` };
}

export function requiredValue(field: string, why = ''): FieldFault {
  return { field, reason: 'FieldValueRequired', message: `Required value${why && `: ${why}`}` };
}

export function duplicateValue(field: string, value: Json): FieldFault {
  return { field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(value)}` };
}

export function forbiddenValue(field: string, why: string): FieldFault {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` };
}

export function unsupportedValue(field: string, value: Json, allowed: readonly Json[]): FieldFault {
  const list = allowed.map((one) => JSON.stringify(String(one))).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
  return { field, reason: 'FieldValueNotSupported', message };
}

function tooMany(field: string, count: number, most: number): FieldFault {
  const message = `Too many: ${count}: must have at most ${counted(most, 'item')}`;
  return { field, reason: 'FieldValueTooMany', message };
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Whether an object with such faults is so wrong that rules between its fields could not be judged. */
export function preventsRules(faults: readonly FieldFault[]): boolean {
  const reasons: readonly FieldFault['reason'][] = [
    'FieldValueNotSupported',
    'FieldValueRequired',
    'FieldValueTooLong',
    'FieldValueTooMany',
    'FieldValueTypeInvalid',
  ];
  return faults.some(({ reason }) => reasons.includes(reason));
}

function validate(schema: Schema, value: Json, path: string, faults: FieldFault[]): void {
  if (value === null && schema.nullable) return;
  if (!hasType(schema, value)) {
    const expected = schema['x-kubernetes-int-or-string'] ? 'integer or string' : schema.type;
    const why = `${path || '<nil>'} in body must be of type ${expected}: ${JSON.stringify(typeName(value))}`;
    faults.push({ ...invalidValue(path, typeName(value), why), reason: 'FieldValueTypeInvalid' });
    return;
  }
  if (schema.enum && !schema.enum.some((allowed) => isEqual(allowed, value))) {
    faults.push(unsupportedValue(path, value, schema.enum));
  }
  if (typeof value === 'string') validateString(schema, value, path, faults);
  else if (typeof value === 'number') validateNumber(schema, value, path, faults);
  else if (Array.isArray(value)) validateList(schema, value, path, faults);
  else if (isObject(value)) validateFields(schema, value, path, faults);
  validateJunctors(schema, value, path, faults);
}

function hasType(schema: Schema, value: Json): boolean {
  if (schema['x-kubernetes-int-or-string']) return typeof value === 'string' || Number.isInteger(value);
  if (schema.type === undefined) return true;
  const actual = typeName(value);
  return actual === schema.type || (schema.type === 'number' && actual === 'integer');
}

function typeName(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function validateString(schema: Schema, value: string, path: string, faults: FieldFault[]): void {
  const complain = (why: string) => faults.push(invalidValue(path, value, `${path} in body ${why}`));
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    // Characters are what counts; "bytes" is how Kubernetes words it.
    const message = `Too long: may not be more than ${counted(schema.maxLength, 'byte')}`;
    faults.push({ field: path, reason: 'FieldValueTooLong', message });
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    complain(`should be at least ${schema.minLength} chars long`);
  }
  if (schema.pattern !== undefined && !compilePattern(schema.pattern).test(value)) {
    complain(`should match '${schema.pattern}'`);
  }
  if (schema.format !== undefined && !isFormat(schema.format, value)) {
    const why = `${path} in body must be of type ${schema.format}: ${JSON.stringify(value)}`;
    faults.push({ ...invalidValue(path, value, why), reason: 'FieldValueTypeInvalid' });
  }
}

function validateNumber(schema: Schema, value: number, path: string, faults: FieldFault[]): void {
  const complain = (why: string) =>
    faults.push(invalidValue(path, value, `${path} in body should be ${why}`));
  const { minimum, maximum, multipleOf } = schema;
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum)) {
    complain(`greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`);
  }
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum)) {
    complain(`less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`);
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf))
    complain(`a multiple of ${multipleOf}`);
}

function validateList(schema: Schema, value: readonly Json[], path: string, faults: FieldFault[]): void {
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    faults.push(tooMany(path, value.length, schema.maxItems));
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    faults.push(
      invalidValue(path, value.length, `${path} in body should have at least ${schema.minItems} items`),
    );
  }
  const items = schema.items;
  if (items)
    value.forEach((item, index) => {
      validate(items, item, `${path}[${index}]`, faults);
    });
  const identity = identityOf(schema);
  if (!identity) return;
  const seen = new Set<string>();
  value.forEach((item, index) => {
    const key = JSON.stringify(identity(item));
    if (seen.has(key)) faults.push(duplicateValue(`${path}[${index}]`, identity(item)));
    seen.add(key);
  });
}

/** What must be unique among a list's items; undefined when repeats are allowed. */
function identityOf(schema: Schema): ((item: Json) => Json) | undefined {
  if (schema['x-kubernetes-list-type'] === 'set' || schema.uniqueItems) return (item) => item;
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys) return undefined;
  return (item) =>
    isObject(item)
      ? Object.fromEntries(keys.map((key) => [key, item[key] ?? schema.items?.properties?.[key]?.default]))
      : item;
}

function validateFields(
  schema: Schema,
  value: { [field: string]: Json | undefined },
  path: string,
  faults: FieldFault[],
): void {
  const at = (field: string) => (path === '' ? field : `${path}.${field}`);
  for (const field of schema.required ?? []) {
    if (fieldOf(value, field) === undefined) faults.push(requiredValue(at(field)));
  }
  let count = 0;
  for (const [field, fieldValue] of Object.entries(value)) {
    if (fieldValue === undefined) continue;
    count += 1;
    const extra = schema.additionalProperties;
    const known = schema.properties && Object.hasOwn(schema.properties, field);
    const fieldSchema = known ? schema.properties?.[field] : isObject(extra) ? (extra as Schema) : undefined;
    if (fieldSchema) validate(fieldSchema, fieldValue, at(field), faults);
  }
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    faults.push(tooMany(path, count, schema.maxProperties));
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    faults.push(
      invalidValue(path, count, `${path} in body should have at least ${schema.minProperties} properties`),
    );
  }
}

function validateJunctors(schema: Schema, value: Json, path: string, faults: FieldFault[]): void {
  const matches = (one: Schema) => validateSchema(one, value, path).length === 0;
  const complain = (why: string) =>
    faults.push(invalidValue(path, value, `${path || '<nil>'} in body ${why}`));
  for (const one of schema.allOf ?? []) validate(one, value, path, faults);
  if (schema.anyOf && !schema.anyOf.some(matches)) complain('must validate at least one schema (anyOf)');
  if (schema.oneOf && schema.oneOf.filter(matches).length !== 1)
    complain('must validate one and only one schema (oneOf)');
  if (schema.not && matches(schema.not)) complain('must not validate the schema (not)');
}
