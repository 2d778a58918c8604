// Takes in an object that a client wrote: checks that it is one of this kind, prunes and reports unknown fields, applies
// defaults. What comes out has the right shape but is not validated yet.
import { goTypeOf } from '../go-words.ts';
import { copyOf, isObject, type Json, type JsonObject, type KubeObject } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { applyDefaults } from '../schema/default.ts';
import { dropEmpty, dropNulls } from '../schema/drop.ts';
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
  /** What was found in the body already, by whoever read it, and is as good as an unknown field. */
  readonly complaints?: readonly string[];
  /** How a patch is refused whose outcome is found wanting under "Strict"; as an object is when absent. */
  readonly refuse?: (why: string) => Error;
  /** Who writes; undefined when the object brings along who owns what (server-side apply). */
  readonly fieldManager: string | undefined;
}

export type IntakeOptions = Pick<WriteOptions, 'fieldValidation' | 'warn' | 'complaints' | 'refuse'>;

/** A fresh, mutable, pruned and (unless "as-is") defaulted copy of what the client sent. @throws StatusError 400 */
export function takeIn(
  type: ResourceType,
  body: Json | undefined,
  options: IntakeOptions,
  defaulting: 'default' | 'as-is' = 'default',
): KubeObject {
  if (body === null && type.isBuiltIn) return takeIn(type, {}, options, defaulting);
  if (!isObject(body)) throw unrecognized(type, `it is not an object but ${goTypeOf(body ?? null)}`);
  assertType(type, body);
  const { managedFields, copy } = takeApart(body);
  const draft = withoutNulls(copy);
  draft.apiVersion = apiVersionOf(type);
  draft.kind = type.kind;
  if (!isObject(draft.metadata)) draft.metadata = {};
  draft.metadata.name ??= '';
  // What is there twice is a set's member once; nobody is refused for it.
  const typeFaults = validateSchema(metadataSchema, draft.metadata, 'metadata').filter(
    ({ reason }) => reason !== 'FieldValueDuplicate',
  );
  if (typeFaults.length > 0) throw invalid(type, String(draft.metadata.name), typeFaults);
  const unknown = prune(type, draft);
  // Of custom kinds they are named in the order of their paths.
  reportUnknown(type.isBuiltIn ? unknown : unknown.sort(), type, options);
  assertDecodes(type, draft);
  if (defaulting === 'default') {
    dropEmpty(metadataSchema, draft.metadata);
    if (type.isBuiltIn) dropEmpty(type.schema, draft);
    else dropNulls(type.schema, draft);
    applyDefaults(type.schema, draft);
  }
  if (managedFields) draft.metadata.managedFields = managedFields;
  return draft as KubeObject;
}

/** The paths of what the kind does not know, in a copy. */
export function unknownFields(type: ResourceType, body: Json): string[] {
  return isObject(body) ? prune(type, copyOf(body)) : [];
}

function prune(type: ResourceType, draft: JsonObject): string[] {
  return [
    ...pruneUnknown(metadataSchema, draft.metadata, false).map((path) => `metadata.${path}`),
    ...pruneUnknown(type.schema, draft),
  ];
}

/** Built-in kinds take an object that does not say what it is for one of theirs; custom ones do not. */
function assertType(type: ResourceType, body: JsonObject): void {
  const expected = apiVersionOf(type);
  const { apiVersion = '', kind = '' } = body;
  if (!type.isBuiltIn) {
    const missing = kind === '' ? 'Kind' : apiVersion === '' ? 'apiVersion' : undefined;
    if (missing) {
      const text = JSON.stringify(body);
      const start = text.length > 30 ? `${text.slice(0, 30)} ...` : text;
      throw unrecognized(type, `Object '${missing}' is missing in '${text}' (${start})`);
    }
    if (apiVersion !== expected) {
      throw badRequest(
        `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
      );
    }
  }
  if ((kind === '' || kind === type.kind) && (apiVersion === '' || apiVersion === expected)) return;
  const version = String(apiVersion).split('/').at(-1);
  throw badRequest(
    `${kind} in version "${version}" cannot be handled as a ${type.kind}: ` +
      `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:110"`,
  );
}

/** The body is no object of any kind. */
export function unrecognized(type: ResourceType, why: string) {
  return badRequest(`the object provided is unrecognized (must be of type ${type.kind}): ${why}`);
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
  { fieldValidation, warn, complaints: found = [], refuse }: IntakeOptions,
): void {
  if (unknown.length + found.length === 0 || fieldValidation === 'Ignore') return;
  const complaints = [...found, ...unknown.map((path) => `unknown field "${path}"`)];
  if (fieldValidation === 'Strict') {
    const why = `strict decoding error: ${strictly(complaints)}`;
    if (refuse) throw refuse(why);
    const { kind, version } = type;
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  }
  for (const complaint of complaints) warn(complaint);
}

/** What a decoder of YAML says of lines it says of all of them at once. */
function strictly(complaints: readonly string[]): string {
  const ofLines = complaints.filter((one) => one.startsWith('line '));
  const others = complaints.filter((one) => !one.startsWith('line '));
  return [...(ofLines.length > 0 ? [inYaml(ofLines)] : []), ...others].join(', ');
}

export function inYaml(complaints: readonly string[]): string {
  return ['yaml: unmarshal errors:', ...complaints].join('\n  ');
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
  // What may not be twice in a list of a built-in kind is for its rules to say.
  const shape = validateSchema(type.schema, object).filter(
    ({ reason }) => !type.isBuiltIn || reason !== 'FieldValueDuplicate',
  );
  const faults = [...metadataFaults(object, type), ...shape];
  faults.push(...ruleFaults(type, object, old, faults));
  if (faults.length > 0) throw invalid(type, object.metadata.name, faults);
}

/** Cross-field rules rely on the shape, so they are asked only when it is right; of a custom kind it is said that they were not. */
function ruleFaults(
  { objectRules, isBuiltIn }: ResourceType,
  object: KubeObject,
  old: KubeObject | undefined,
  found: readonly FieldFault[],
): readonly FieldFault[] {
  if (!objectRules) return [];
  if (isBuiltIn) return found.length > 0 ? [] : objectRules(object, old);
  if (!preventsRules(found)) return objectRules(object, old);
  const why =
    'some validation rules were not checked because the object was invalid; ' +
    'correct the existing errors to complete validation';
  return [invalidValue('', undefined, why)];
}
