// Judges an object by its kind's schema, for people: every fault, where it is, in a sentence. The API server judges by
// the CRD, which is made of the same schema. Not here: whether the other objects that it names exist.
import { tryParseCidr } from '../net/index.ts';
import { isObject, type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import { nearestName } from './nearest-name.ts';
import type { Resource, ResourceKind } from './resource.ts';
import { judgeMetadata } from './validate-metadata.ts';
import { wrongType } from './wrong-type.ts';

/** Names and indices from the top of an object down. A name may itself hold dots, as labels do. */
export type Steps = readonly (string | number)[];

export interface ValidationFault {
  /** "spec.allowedUses[1]"; empty for the object as a whole. */
  readonly path: string;
  /** The same path, step by step. */
  readonly steps: Steps;
  readonly value: unknown;
  /** Follows the path: "must be one of ...". */
  readonly message: string;
}

/**
 * Every fault of an object; none for a kind without a schema. With `old`, the stored object that it would replace, also
 * what may not change. Defaults are not filled in first: see `withDefaults`.
 */
export function validate<T extends Resource>(kind: ResourceKind<T>, object: T, old?: T): ValidationFault[] {
  if (!kind.schema) return [];
  const faults: ValidationFault[] = [];
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
  for (const { step, value, message } of judgeMetadata(kind, metadata)) {
    faults.push(faultAt(['metadata', ...step], value, message));
  }
  judge(jsonSchemaOf(kind.schema), [], rest, old, faults);
  if (faults.length > 0) return faults;
  for (const rule of kind.rules ?? []) {
    if (!rule.holds(object, old)) faults.push(faultAt([], object, rule.message));
  }
  const wrong = kind.check?.(object);
  if (wrong !== undefined) faults.push(faultAt([], object, wrong));
  return faults;
}

/** `spec.ingress[0].ports`, `metadata.labels["example.com/name"]`; empty for no steps. */
function pathOf(steps: Steps): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`;
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) return `${path}[${JSON.stringify(step)}]`;
    return path === '' ? step : `${path}.${step}`;
  }, '');
}

function faultAt(steps: Steps, value: unknown, message: string): ValidationFault {
  return { path: pathOf(steps), steps, value, message };
}

function judge(
  schema: JsonSchema,
  steps: Steps,
  value: unknown,
  old: unknown,
  faults: ValidationFault[],
): void {
  const before = faults.length;
  const fault = (message: string) => faults.push(faultAt(steps, value, message));
  if (value === null && schema.nullable) return;
  const wanted = wrongType(schema, value);
  if (wanted) {
    fault(`must be ${wanted}`);
    return;
  }
  if (typeof value === 'string') judgeString(schema, value, fault);
  else if (typeof value === 'number') judgeNumber(schema, value, fault);
  else if (Array.isArray(value)) judgeArray(schema, steps, value, faults);
  else if (isObject(value)) judgeObject(schema, steps, value, isObject(old) ? old : undefined, faults);
  // A rule reads several fields and may trust their shapes; with a fault among them it would only mislead.
  if (faults.length > before) return;
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    if (!rule.holds(value, old)) fault(rule.message);
  }
  const wrong = schema.check?.(value);
  if (wrong !== undefined) fault(wrong);
}

function judgeString(schema: JsonSchema, value: string, fault: (message: string) => void): void {
  if (schema.enum && !schema.enum.includes(value)) {
    fault(`must be one of ${schema.enum.map((word) => `"${word}"`).join(', ')}`);
    return;
  }
  if (schema.maxLength !== undefined && value.length > schema.maxLength) {
    fault(`must have at most ${schema.maxLength} characters, not ${value.length}`);
  }
  if (schema.minLength !== undefined && value.length < schema.minLength) {
    fault(`must have at least ${schema.minLength} characters`);
  }
  if (schema.pattern !== undefined && !goPattern(schema.pattern).test(value)) {
    fault(schema.patternMessage ?? `must match ${schema.pattern}`);
  }
  if (schema.format === 'cidr' && !tryParseCidr(value)) {
    fault('must be a CIDR, such as "10.0.0.0/8" or "fd00::/64"');
  }
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value))) {
    fault('must be a time, such as "2026-01-31T12:00:00Z"');
  }
}

function judgeNumber(schema: JsonSchema, value: number, fault: (message: string) => void): void {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  if (schema.enum && !schema.enum.includes(value)) {
    fault(`must be one of ${schema.enum.join(', ')}`);
    return;
  }
  if (value >= minimum && value <= maximum) return;
  if (maximum === Infinity) fault(`must be at least ${minimum}`);
  else if (minimum === -Infinity) fault(`must be at most ${maximum}`);
  else fault(`must be from ${minimum} to ${maximum}`);
}

function judgeArray(schema: JsonSchema, steps: Steps, value: unknown[], faults: ValidationFault[]): void {
  const { items, minItems = 0, maxItems = Infinity } = schema;
  const fault = (message: string) => faults.push(faultAt(steps, value, message));
  if (value.length > maxItems) fault(`must have at most ${maxItems} items, not ${value.length}`);
  if (value.length < minItems) fault(`must have at least ${minItems} ${minItems === 1 ? 'item' : 'items'}`);
  if (schema['x-kubernetes-list-type'] === 'set' && new Set(value).size < value.length) {
    fault('must not name the same item twice');
  }
  if (items)
    for (const [index, item] of value.entries()) judge(items, [...steps, index], item, undefined, faults);
}

function judgeObject(
  schema: JsonSchema,
  steps: Steps,
  value: Record<string, unknown>,
  old: Record<string, unknown> | undefined,
  faults: ValidationFault[],
): void {
  const properties = schema.properties ?? {};
  const { minProperties = 0, maxProperties = Infinity } = schema;
  const size = Object.keys(value).length;
  if (size > maxProperties) {
    faults.push(faultAt(steps, value, `must have at most ${maxProperties} of its fields, not ${size}`));
  }
  if (size < minProperties) {
    faults.push(faultAt(steps, value, `must have one of ${Object.keys(properties).join(', ')}`));
  }
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) faults.push(faultAt([...steps, name], undefined, 'is required'));
  }
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const property = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    if (property) judge(property, [...steps, name], member, old?.[name], faults);
    else faults.push(faultAt([...steps, name], member, unknownField(name, Object.keys(properties))));
  }
}

function unknownField(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return `is not a known field${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

/** Patterns in CRDs are Go's: a leading "(?i)" stands for the flag. */
function goPattern(pattern: string): RegExp {
  const text = pattern.replace('(?i)', '');
  return new RegExp(text, text === pattern ? 'u' : 'iu');
}
