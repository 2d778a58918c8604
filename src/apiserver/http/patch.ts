// PATCH: finds out which kind of patch it is, computes the next state, and has it written like a replacement.
import type { IncomingMessage } from 'node:http';
import { goTypeOf, printedInGo, writtenInGo } from '../go-words.ts';
import { isObject, type Json, type JsonObject, type KubeObject } from '../json.ts';
import { apiVersionOf, type ResourceType } from '../kinds/resource-type.ts';
import { inYaml, takeIn, unknownFields, type WriteOptions } from '../objects/intake.ts';
import { createObject, updateObject } from '../objects/write.ts';
import { applyConfiguration } from '../patch/apply.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import { invalidValue } from '../schema/validate.ts';
import { badRequest, invalid, notFound, StatusError, unsupportedMediaType } from '../status-error.ts';
import type { Store } from '../store/store.ts';
import { mediaTypeOf } from './body.ts';
import { isTrue } from './is-true.ts';
import { present } from './representation.ts';
import { settleName, settleNamespace } from './resource.ts';
import type { ResourcePath } from './resource-path.ts';

type PatchType = 'apply' | 'json' | 'merge' | 'strategic';

interface PatchRequest {
  readonly path: ResourcePath;
  readonly patchType: PatchType;
  readonly query: URLSearchParams;
  readonly body: Json;
  /** What the body has wrong without being refused for it. */
  readonly complaints: readonly string[];
  readonly old: KubeObject | undefined;
  readonly options: WriteOptions;
}

interface PatchResult {
  readonly object: KubeObject;
  /** Only server-side apply makes objects. */
  readonly isNew: boolean;
}

const patchTypes: { readonly [mediaType: string]: PatchType } = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/apply-patch+yaml': 'apply',
  'application/strategic-merge-patch+json': 'strategic',
};

/** @throws StatusError 415 for a type that the kind does not take */
export function patchTypeOf(type: ResourceType, request: IncomingMessage): PatchType {
  const mediaType = mediaTypeOf(request);
  const patchType = Object.hasOwn(patchTypes, mediaType) ? patchTypes[mediaType] : undefined;
  if (patchType && (type.isBuiltIn || patchType !== 'strategic')) return patchType;
  // Built-in kinds refuse it before they look at anything else, and say less.
  if (type.isBuiltIn) throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  throw unsupportedMediaType(Object.keys(patchTypes).slice(0, 3));
}

/** @throws StatusError 404, 409, 422 */
export function patchObject(store: Store, patch: PatchRequest): PatchResult {
  const { path, old, options } = patch;
  const { type, subresource } = path;
  if (patch.patchType === 'apply') return apply(store, patch);
  if (!old) throw notFound(type, path.name ?? '');
  const patched = patchedBody(patch, present(type, old));
  assertSameObject(type, old, patched);
  const complaints =
    patch.patchType === 'json' ? patch.complaints.map((one) => `json patch ${one}`) : patch.complaints;
  const refuse = (why: string) => unfit(shownPatch(patch, patched), why);
  const next = takeIn(type, patched, { ...options, complaints, refuse });
  settleNamespace(path, next);
  settleName(path, next);
  return { object: updateObject(store, type, old, next, subresource, options), isNew: false };
}

function patchedBody({ patchType, path: { type }, body }: PatchRequest, old: KubeObject): Json {
  if (patchType === 'json') return applyJsonPatch(old, body);
  if (!isObject(body)) {
    const why = `json: cannot unmarshal ${goTypeOf(body)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding patch: ${why}`);
  }
  return patchType === 'merge'
    ? applyMergePatch(old, body)
    : applyStrategicMergePatch(type.schema, old, body);
}

/** A patch changes an object, and not which one it is. @throws StatusError 422 */
function assertSameObject(type: ResourceType, old: KubeObject, patched: Json): void {
  if (!isObject(patched)) return;
  const { kind, apiVersion } = patched;
  const expected = present(type, old);
  if (kind !== expected.kind || apiVersion !== expected.apiVersion) {
    if (type.isBuiltIn) throw unknownKind(patched);
    const field = kind === expected.kind ? 'apiVersion' : 'kind';
    const fault = invalidValue(field, patched[field], `must be ${expected[field]}`);
    throw invalid({ ...type, ...groupOf(patched), kind: String(kind) }, old.metadata.name, [fault]);
  }
  const { uid } = isObject(patched.metadata) ? patched.metadata : {};
  if (typeof uid === 'string' && uid !== old.metadata.uid) {
    throw invalid(type, old.metadata.name, [invalidValue('metadata.uid', uid, 'field is immutable')]);
  }
}

function groupOf({ apiVersion }: { readonly apiVersion?: Json | undefined }): { group: string } {
  return { group: String(apiVersion).includes('/') ? (String(apiVersion).split('/')[0] ?? '') : '' };
}

function unknownKind(patched: JsonObject): StatusError {
  const scheme = 'in scheme "pkg/runtime/scheme.go:110"';
  const why = `no kind "${patched.kind}" is registered for version "${patched.apiVersion}" ${scheme}`;
  return unfit(writtenInGo(patched, true), why);
}

/** A strategic patch is shown by itself, and of the others what comes of them. */
function shownPatch({ patchType, path: { type }, body }: PatchRequest, patched: Json): string {
  if (patchType === 'strategic') return printedInGo(body);
  return isObject(patched) ? writtenInGo(patched, type.isBuiltIn) : JSON.stringify(patched);
}

function unfit(patch: string, why: string): StatusError {
  const fault = invalidValue('patch', patch, why);
  return new StatusError(422, 'Invalid', ` "" is invalid: patch: ${fault.message}`, {
    causes: [{ reason: fault.reason, message: fault.message, field: fault.field }],
  });
}

/** What the client wants to own, which no schema prunes. @throws StatusError 500, which is how the real server says it */
function takeInApplied(
  type: ResourceType,
  body: Json,
  options: WriteOptions,
  path: ResourcePath,
): KubeObject {
  const unknown = unknownFields(type, body).map((field) => `.${field}: field not declared in schema`);
  if (unknown.length > 0) {
    const which = `${path.namespace ?? ''}/${path.name}; ${apiVersionOf(type)}, Kind=${type.kind}`;
    const list = unknown.length === 1 ? unknown[0] : ['errors:', ...unknown].join('\n  ');
    throw new StatusError(500, '', `failed to create typed patch object (${which}): ${list}`);
  }
  return takeIn(type, body, { ...options, fieldValidation: 'Ignore' }, 'as-is');
}

/** @throws StatusError 400 unless it says that it is of the kind */
function assertAppliedType(type: ResourceType, body: Json): void {
  const { apiVersion = '', kind = '' } = isObject(body) ? body : {};
  if (apiVersion === apiVersionOf(type) && kind === type.kind) return;
  const shown = String(apiVersion).includes('/') ? apiVersion : `/${apiVersion}`;
  throw badRequest(`invalid object type: ${shown}, Kind=${kind}`);
}

function apply(store: Store, { path, query, body, complaints, old, options }: PatchRequest): PatchResult {
  const { type, subresource } = path;
  const manager = query.get('fieldManager') ?? '';
  if (body !== null && !isObject(body)) {
    const why = `json: cannot unmarshal ${goTypeOf(body)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
  }
  if (complaints.length > 0 && options.fieldValidation === 'Strict') {
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${inYaml(complaints)}`);
  }
  for (const complaint of complaints) options.warn(complaint);
  assertAppliedType(type, body);
  if (isObject(body) && isObject(body.metadata) && body.metadata.managedFields !== undefined) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const config = takeInApplied(type, body, options, path);
  settleNamespace(path, config);
  settleName(path, config);
  if (!old && subresource) throw notFound(type, path.name ?? '');
  const force = isTrue(query.get('force'));
  const live = old && present(type, old);
  const merged = applyConfiguration({
    type,
    live,
    config,
    manager,
    force,
    ...(subresource ? { subresource } : {}),
  });
  // What the client wrote was checked above; what is stored besides it is not the client's fault.
  const next = takeIn(type, merged, { ...options, fieldValidation: 'Ignore' });
  const asMerged = { ...options, fieldManager: undefined };
  if (!old) return { object: createObject(store, type, next, asMerged), isNew: true };
  if (config.metadata.resourceVersion) next.metadata.resourceVersion = config.metadata.resourceVersion;
  const updated = updateObject(store, type, old, next, subresource, asMerged);
  return { object: updated, isNew: false };
}
