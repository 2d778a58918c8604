// The structural schema: what a CRD brings along, and what the built-in kinds are described with. Types and builders only.
import type { Json } from '../json.ts';

/** The part of OpenAPI v3 that structural schemas may use; unknown keywords are carried for `explain` and ignored. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly properties?: { readonly [field: string]: Schema };
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly default?: Json;
  readonly nullable?: boolean;
  readonly enum?: readonly Json[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'granular' | 'atomic';
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

/** A rule in the Common Expression Language about the value of the schema that carries it. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  /** A CEL expression that makes the message; `message` stands in when it fails. */
  readonly messageExpression?: string;
  readonly reason?:
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueRequired'
    | 'FieldValueDuplicate';
  /** The field to blame, below the value: ".name", "['name']". */
  readonly fieldPath?: string;
  /** Makes `oldSelf` an optional value, and the rule run on creation too. */
  readonly optionalOldSelf?: boolean;
}

export const string: Schema = { type: 'string' };
export const integer: Schema = { type: 'integer' };
export const boolean: Schema = { type: 'boolean' };
export const intOrString: Schema = { 'x-kubernetes-int-or-string': true };
export const stringMap: Schema = { type: 'object', additionalProperties: string };
/** A subtree that the server stores as it comes. */
export const anything: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

/** An object that keeps exactly these fields. */
export function strictObject(
  properties: { readonly [field: string]: Schema },
  required: readonly string[] = [],
): Schema {
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
}

/** An object of which these fields are described and the others kept as they come. */
export function openObject(
  properties: { readonly [field: string]: Schema },
  required: readonly string[] = [],
): Schema {
  return { ...strictObject(properties, required), 'x-kubernetes-preserve-unknown-fields': true };
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

/** A list that is written, and owned, as a whole. */
export function atomicList(items: Schema): Schema {
  return { ...listOf(items), 'x-kubernetes-list-type': 'atomic' };
}

/** A list whose items are told apart by `keys`; strategic merge patches go by the first of them. */
export function listByKey(keys: readonly [string, ...string[]], items: Schema): Schema {
  return {
    type: 'array',
    items,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
    'x-kubernetes-patch-merge-key': keys[0],
    'x-kubernetes-patch-strategy': 'merge',
  };
}

/** A list of unique scalars, merged as a set by patches. */
export function setOf(items: Schema): Schema {
  return {
    type: 'array',
    items,
    'x-kubernetes-list-type': 'set',
    'x-kubernetes-patch-strategy': 'merge',
  };
}
