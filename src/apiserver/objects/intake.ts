// Takes in an object that a client wrote: checks that it is one of this kind, prunes and reports unknown fields, applies
// defaults. What comes out has the right shape but is not validated yet.
import { copyOf, isObject, type Json, type JsonObject, type KubeObject } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { applyDefaults } from '../schema/default.ts';
import { pruneUnknown } from '../schema/prune.ts';
import { invalidValue, preventsRules, validateSchema } from '../schema/validate.ts';
import { badRequest, type FieldFault, invalid } from '../status-error.ts';
import { metadataFaults, metadataSchema } from './metadata.ts';

/** What a write is asked to do besides writing. */
export interface WriteOptions {
  readonly dryRun: boolean;
  /** What to do about fields that the schema does not know. */
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Called with each warning that the client should see. */
  readonly warn: (message: string) => void;
  /** Who writes; undefined when the object brings along who owns what (server-side apply). */
  readonly fieldManager: string | undefined;
}

/** A fresh, mutable, pruned and (unless "as-is") defaulted copy of what the client sent. @throws StatusError 400 */
export function takeIn(
  type: ResourceType,
  body: Json | undefined,
  options: Pick<WriteOptions, 'fieldValidation' | 'warn'>,
  defaulting: 'default' | 'as-is' = 'default',
): KubeObject {
  if (!isObject(body)) throw badRequest(`The request body is not a ${type.kind} object`);
  const expected = apiVersionOf(type);
  const { managedFields, copy } = takeApart(body);
  const draft = withoutNulls(copy);
  if (
    draft.kind !== undefined &&
    draft.kind !== '' &&
    (draft.kind !== type.kind || (draft.apiVersion ?? expected) !== expected)
  ) {
    const found = `${draft.apiVersion}, Kind=${draft.kind}`;
    throw badRequest(
      `the object provided is unrecognized or of another kind (expected ${expected}, Kind=${type.kind}; found ${found})`,
    );
  }
  draft.apiVersion = expected;
  draft.kind = type.kind;
  if (!isObject(draft.metadata)) draft.metadata = {};
  draft.metadata.name ??= '';
  const typeFaults = validateSchema(metadataSchema, draft.metadata, 'metadata');
  if (typeFaults.length > 0) throw invalid(type, String(draft.metadata.name), typeFaults);
  const unknown = [
    ...pruneUnknown(metadataSchema, draft.metadata, false).map((path) => `metadata.${path}`),
    ...pruneUnknown(type.schema, draft),
  ];
  reportUnknown(unknown, type, options);
  assertDecodes(type, draft);
  if (defaulting === 'default') applyDefaults(type.schema, draft);
  if (managedFields) draft.metadata.managedFields = managedFields;
  return draft as KubeObject;
}

/** The managers are often the larger part, and never altered, only replaced: they are not copied, nor looked through. */
function takeApart(body: JsonObject): { readonly copy: JsonObject; readonly managedFields?: Json[] } {
  if (!isObject(body.metadata)) return { copy: copyOf(body) };
  const { managedFields, ...metadata } = body.metadata;
  if (!Array.isArray(managedFields)) return { copy: copyOf(body) };
  return { copy: copyOf({ ...body, metadata }), managedFields };
}

/** A built-in kind is decoded before anything else is done with it; what has the wrong type for that is a bad request. */
function assertDecodes(type: ResourceType, draft: JsonObject): void {
  if (!type.isBuiltIn) return;
  const fault = validateSchema(type.schema, draft).find(({ reason }) => reason === 'FieldValueTypeInvalid');
  if (!fault) return;
  const { kind, version } = type;
  throw badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: ${fault.field}: ${fault.message}`,
  );
}

function reportUnknown(
  unknown: readonly string[],
  type: ResourceType,
  options: Pick<WriteOptions, 'fieldValidation' | 'warn'>,
): void {
  if (unknown.length === 0 || options.fieldValidation === 'Ignore') return;
  const complaints = unknown.map((path) => `unknown field "${path}"`);
  if (options.fieldValidation === 'Strict') {
    throw badRequest(
      `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${complaints.join(', ')}`,
    );
  }
  for (const complaint of complaints) options.warn(complaint);
}

/** Go's decoder takes null for absent; so do we at the top and in metadata, where nothing is nullable. */
function withoutNulls(object: { [field: string]: Json | undefined }) {
  for (const holder of [object, object.metadata]) {
    if (!isObject(holder)) continue;
    for (const field of Object.keys(holder)) if (holder[field] === null) delete holder[field];
  }
  return object;
}

/** @throws StatusError 422 with every fault of an object that is otherwise ready to be stored. */
export function assertValid(type: ResourceType, object: KubeObject, old: KubeObject | undefined): void {
  const shape = validateSchema(type.schema, object);
  const rules = ruleFaults(type, object, old, shape);
  const faults = [...metadataFaults(object, type), ...shape, ...rules];
  if (faults.length > 0) throw invalid(type, object.metadata.name, faults);
}

/** Cross-field rules rely on the shape, so they are asked only when it is right; of a custom kind it is said that they were not. */
function ruleFaults(
  { objectRules, isBuiltIn }: ResourceType,
  object: KubeObject,
  old: KubeObject | undefined,
  shape: readonly FieldFault[],
): readonly FieldFault[] {
  if (!objectRules) return [];
  if (isBuiltIn) return shape.length > 0 ? [] : objectRules(object, old);
  if (!preventsRules(shape)) return objectRules(object, old);
  const why =
    'some validation rules were not checked because the object was invalid; ' +
    'correct the existing errors to complete validation';
  return [invalidValue('', undefined, why)];
}
