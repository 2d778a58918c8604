// The verbs on resources: get, list, watch, create, replace, patch, delete, deletecollection.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KubeObject } from '../json.ts';
import { collectionOf, type ResourceType } from '../kinds/resource-type.ts';
import { deleteObject, readDeleteOptions } from '../objects/delete.ts';
import { takeIn, type WriteOptions } from '../objects/intake.ts';
import { createObject, updateObject } from '../objects/write.ts';
import { invalidValue } from '../schema/validate.ts';
import { badRequest, invalid, methodNotAllowed, notFound } from '../status-error.ts';
import type { Store } from '../store/store.ts';
import { assertObjectMediaType, readBody } from './body.ts';
import type { Lists } from './list.ts';
import { patchObject } from './patch.ts';
import { json, type Reply } from './reply.ts';
import { negotiate, type Representation } from './representation.ts';
import type { ResourcePath } from './resource-path.ts';
import { isTrue, type Watches } from './watch.ts';

export interface ResourceRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly warn: (message: string) => void;
}

export interface Services {
  readonly store: Store;
  readonly lists: Lists;
  readonly watches: Watches;
}

/** Answers, or returns undefined when the answer is a watch and already under way. @throws StatusError */
export async function handleResource(services: Services, call: ResourceRequest): Promise<Reply | undefined> {
  const { request, path, query } = call;
  const form = negotiate(request.headers.accept, query.get('includeObject'));
  const isCollection = path.name === undefined;
  switch (request.method) {
    case 'GET':
      if (isTrue(query.get('watch'))) return watch(services, call, form);
      return isCollection ? list(services, call, form) : read(services, call, form);
    case 'POST':
      if (isCollection) return create(services, call, form);
      break;
    case 'PUT':
      if (!isCollection) return replace(services, call, form);
      break;
    case 'PATCH':
      if (!isCollection) return patch(services, call, form);
      break;
    case 'DELETE':
      if (path.subresource) break;
      return isCollection ? removeAll(services, call, form) : remove(services, call, form);
  }
  throw methodNotAllowed();
}

function watch(
  { watches }: Services,
  { path, query, response }: ResourceRequest,
  form: Representation,
): undefined {
  watches.open(path, query, form, response);
}

function list({ lists }: Services, { path, query }: ResourceRequest, form: Representation): Reply {
  const { objects, metadata } = lists.list(path, query);
  return json(200, form.list(path.type, objects, metadata), form.contentType);
}

function read({ store }: Services, { path }: ResourceRequest, form: Representation): Reply {
  return json(200, form.object(path.type, existing(store, path)), form.contentType);
}

/** @throws StatusError 404 */
function existing(store: Store, path: ResourcePath): KubeObject {
  const object = find(store, path);
  if (!object) throw notFound(path.type, path.name ?? '');
  return object;
}

function find(store: Store, { type, namespace = '', name = '' }: ResourcePath): KubeObject | undefined {
  return store.get(collectionOf(type), namespace, name);
}

async function create({ store }: Services, call: ResourceRequest, form: Representation): Promise<Reply> {
  const { type } = call.path;
  assertObjectMediaType(call.request);
  const object = takeIn(type, await readBody(call.request), writeOptions(call));
  settleNamespace(call.path, object);
  const created = createObject(store, type, object, writeOptions(call));
  return json(201, form.object(type, created), form.contentType);
}

async function replace({ store }: Services, call: ResourceRequest, form: Representation): Promise<Reply> {
  const { path } = call;
  assertObjectMediaType(call.request);
  const object = takeIn(path.type, await readBody(call.request), writeOptions(call));
  settleNamespace(path, object);
  settleName(path, object);
  const old = existing(store, path);
  if (!path.type.isBuiltIn && !object.metadata.resourceVersion) {
    const fault = invalidValue('metadata.resourceVersion', '', 'must be specified for an update');
    throw invalid(path.type, object.metadata.name, [fault]);
  }
  const updated = updateObject(store, path.type, old, object, path.subresource, writeOptions(call));
  return json(200, form.object(path.type, updated), form.contentType);
}

async function patch({ store }: Services, call: ResourceRequest, form: Representation): Promise<Reply> {
  const { path } = call;
  const body = await readBody(call.request);
  const result = patchObject(store, {
    path,
    body: body ?? {},
    old: find(store, path),
    request: call.request,
    query: call.query,
    options: writeOptions(call),
  });
  return json(result.isNew ? 201 : 200, form.object(path.type, result.object), form.contentType);
}

async function remove({ store }: Services, call: ResourceRequest, form: Representation): Promise<Reply> {
  const { path, query } = call;
  const body = await readBody(call.request);
  const { isGone, object } = deleteObject(
    store,
    path.type,
    existing(store, path),
    readDeleteOptions(body, query),
  );
  if (!isGone) return json(200, form.object(path.type, object), form.contentType);
  const { name, uid } = object.metadata;
  const { group, plural } = path.type;
  return json(200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(group ? { group } : {}), kind: plural, ...(uid ? { uid } : {}) },
  });
}

async function removeAll(
  { store, lists }: Services,
  call: ResourceRequest,
  form: Representation,
): Promise<Reply> {
  const { path, query } = call;
  const options = readDeleteOptions(await readBody(call.request), query);
  const { objects, metadata } = lists.list(path, query);
  const deleted = objects.map((object) => deleteObject(store, path.type, object, options).object);
  return json(200, form.list(path.type, deleted, metadata), form.contentType);
}

/** The object takes the path's namespace, or must agree with it. */
export function settleNamespace(
  { type, namespace }: { type: ResourceType; namespace?: string },
  object: KubeObject,
): void {
  const { metadata } = object;
  if (!type.namespaced) {
    delete metadata.namespace;
    return;
  }
  if (namespace === undefined) throw methodNotAllowed();
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata.namespace = namespace;
}

export function settleName({ name = '' }: ResourcePath, object: KubeObject): void {
  const given = object.metadata.name;
  if (given !== '' && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  object.metadata.name = name;
}

function writeOptions({ request, query, warn }: ResourceRequest): WriteOptions {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  if (dryRun.some((value) => value !== 'All')) throw badRequest(`invalid dryRun: ${JSON.stringify(dryRun)}`);
  const fieldValidation = query.get('fieldValidation') || 'Warn';
  if (fieldValidation !== 'Strict' && fieldValidation !== 'Warn' && fieldValidation !== 'Ignore') {
    throw badRequest(`invalid fieldValidation: "${fieldValidation}" (must be Ignore, Strict or Warn)`);
  }
  const agent = request.headers['user-agent']?.split('/')[0] ?? 'unknown';
  const fieldManager = query.get('fieldManager') || agent;
  return { dryRun: dryRun.length > 0, fieldValidation, warn, fieldManager };
}
