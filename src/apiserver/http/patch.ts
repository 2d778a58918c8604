// PATCH: finds out which kind of patch it is, computes the next state, and has it written like a replacement.
import type { IncomingMessage } from 'node:http';
import { isObject, type Json, type KubeObject } from '../json.ts';
import { takeIn, type WriteOptions } from '../objects/intake.ts';
import { createObject, updateObject } from '../objects/write.ts';
import { applyConfiguration } from '../patch/apply.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import { badRequest, notFound, unsupportedMediaType } from '../status-error.ts';
import type { Store } from '../store/store.ts';
import { mediaTypeOf } from './body.ts';
import { present } from './representation.ts';
import { settleName, settleNamespace } from './resource.ts';
import type { ResourcePath } from './resource-path.ts';
import { isTrue } from './watch.ts';

interface PatchRequest {
  readonly request: IncomingMessage;
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly body: Json;
  readonly old: KubeObject | undefined;
  readonly options: WriteOptions;
}

interface PatchResult {
  readonly object: KubeObject;
  /** Only server-side apply makes objects. */
  readonly isNew: boolean;
}

/** @throws StatusError 404, 409, 415, 422 */
export function patchObject(store: Store, patch: PatchRequest): PatchResult {
  const { path, old, options } = patch;
  const { type, subresource } = path;
  if (/^application\/apply-patch\+(yaml|json)$/.test(mediaTypeOf(patch.request))) return apply(store, patch);
  if (!old) throw notFound(type, path.name ?? '');
  const patched = patchedBody(patch, present(type, old));
  const next = takeIn(type, patched, options);
  settleNamespace(path, next);
  settleName(path, next);
  return { object: updateObject(store, type, old, next, subresource, options), isNew: false };
}

function patchedBody({ request, path, body }: PatchRequest, old: KubeObject): Json {
  const { type } = path;
  switch (mediaTypeOf(request)) {
    case 'application/json-patch+json':
      return applyJsonPatch(old, body);
    case 'application/merge-patch+json':
      return applyMergePatch(old, body);
    case 'application/strategic-merge-patch+json':
      if (type.isBuiltIn) return applyStrategicMergePatch(type.schema, old, body);
  }
  const custom = [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/apply-patch+yaml',
  ];
  throw unsupportedMediaType(type.isBuiltIn ? [...custom, 'application/strategic-merge-patch+json'] : custom);
}

function apply(store: Store, { path, query, body, old, options }: PatchRequest): PatchResult {
  const { type, subresource } = path;
  const manager = query.get('fieldManager');
  if (!manager) throw badRequest('fieldManager is required for apply patch');
  if (isObject(body) && isObject(body.metadata) && body.metadata.managedFields !== undefined) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const config = takeIn(type, body, options, 'as-is');
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
