// The verbs on resources: get, list, watch, create, replace, patch, delete, deletecollection.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { noObject } from '../go-words.ts';
import { isObject, type KubeObject } from '../json.ts';
import { bindingType, bindPod } from '../kinds/binding.ts';
import { collectionOf, type ResourceType } from '../kinds/resource-type.ts';
import { deleteObject } from '../objects/delete.ts';
import { takeIn, unrecognized, type WriteOptions } from '../objects/intake.ts';
import { createObject, updateObject } from '../objects/write.ts';
import { invalidValue } from '../schema/validate.ts';
import {
  badRequest,
  invalid,
  methodNotAllowed,
  notFound,
  type StatusError,
  verbNotSupported,
} from '../status-error.ts';
import type { Store } from '../store/store.ts';
import { assertObjectMediaType, type Body, readBody } from './body.ts';
import { readDeleteOptions } from './delete-options.ts';
import { isTrue } from './is-true.ts';
import type { Lists } from './list.ts';
import { assertListOptions } from './list-options.ts';
import { patchObject, patchTypeOf } from './patch.ts';
import { json, noSuchPage, type Reply } from './reply.ts';
import { negotiate, type Representation } from './representation.ts';
import type { ResourcePath } from './resource-path.ts';
import { revisionIn } from './revision.ts';
import type { Watches } from './watch.ts';
import { writeOptions } from './write-options.ts';

export interface ResourceRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: ResourcePath;
  /** Whether it is about a collection, or what of it has the path's name. */
  readonly isOfMany: boolean;
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
  const { request, path, query, isOfMany: isCollection } = call;
  const isList = isCollection && request.method !== 'POST';
  const isWatch = isList && request.method === 'GET' && isTrue(query.get('watch'));
  const includeObject = query.get('includeObject');
  const form = negotiate(request.headers.accept, { type: path.type, includeObject, isList, isWatch });
  assertVerb(path, verbOf(request.method, isCollection, isWatch));
  if (path.subresource === 'binding') return bind(services, call);
  switch (request.method) {
    case 'GET':
      if (!isCollection) return read(services, call, form);
      assertListOptions(query);
      return isWatch ? watch(services, call, form) : list(services, call, form);
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
      if (!isCollection) return remove(services, call, form);
      if (path.type.namespaced && path.namespace === undefined) {
        if (!path.type.isBuiltIn) return noSuchPage;
        break;
      }
      if (path.type.hasCollectionDelete) return removeAll(services, call, form);
  }
  throw isMissingName(call) ? badRequest('name must be provided') : notSupported(call);
}

function verbOf(method: string | undefined, isCollection: boolean, isWatch: boolean): string | undefined {
  if (method === 'GET') return isWatch ? 'watch' : isCollection ? 'list' : 'get';
  return { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[`${method}`];
}

/** @throws StatusError 405 for what a kind, or a part of its objects, of few verbs cannot be asked */
function assertVerb({ type, subresource }: ResourcePath, verb: string | undefined): void {
  const part = type.subresources.find(({ name }) => name === subresource);
  const verbs = part ? [part.verb] : type.verbs;
  if (verbs && (verb === undefined || !verbs.includes(verb))) throw methodNotAllowed();
}

/** Custom kinds ask for a name before they ask whether the method is one of a collection. */
function isMissingName({ request: { method }, path }: ResourceRequest): boolean {
  return !path.type.isBuiltIn && path.name === undefined && (method === 'PATCH' || method === 'PUT');
}

const verbs: { readonly [method: string]: string } = { DELETE: 'delete', POST: 'create' };

function notSupported({ request, path: { type } }: ResourceRequest): StatusError {
  const verb = verbs[request.method ?? ''];
  return type.isBuiltIn || verb === undefined ? methodNotAllowed() : verbNotSupported(type, verb);
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

function read({ store }: Services, { path, query }: ResourceRequest, form: Representation): Reply {
  // Whatever is asked for, the newest state is what there is.
  revisionIn(query);
  return json(200, form.object(path.type, existing(store, path)), form.contentType);
}

/** @throws StatusError 400 */
async function readObject(
  request: IncomingMessage,
  type: ResourceType,
  options: WriteOptions,
): Promise<KubeObject> {
  const body = await readBody(request);
  const { value, text, fault } = body;
  if (isObject(value) || (value === null && type.isBuiltIn))
    return takeIn(type, value, { ...options, complaints: complaintsOf(body, options) });
  const shown = text === '' ? '<empty>' : text.startsWith('{') ? text : Buffer.from(text).toString('hex');
  const why = `json parse error: ${fault ?? noObject(value ?? null)} (${shown})`;
  throw unrecognized(type, `couldn't get version/kind; ${why}`);
}

/** Looked for only where somebody wants to know. */
function complaintsOf({ repeated }: Body, { fieldValidation }: WriteOptions): string[] {
  return fieldValidation === 'Ignore' ? [] : repeated();
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
  const options = writeOptions(call, 'CreateOptions');
  const object = await readObject(call.request, type, options);
  settleNamespace(call.path, object);
  if (type.answer) {
    assertAskable(type, object);
    return json(201, type.answer(object, { store, ...options }));
  }
  const created = createObject(store, type, object, options);
  return json(201, form.object(type, created), form.contentType);
}

/** @throws StatusError 422, which of such a kind does not say which kind it is */
function assertAskable(type: ResourceType, object: KubeObject): void {
  const faults = type.objectRules?.(object, undefined) ?? [];
  if (faults.length > 0) throw invalid({ ...type, kind: '' }, '', faults);
}

/** The pod of the path is put on a node. */
async function bind({ store }: Services, call: ResourceRequest): Promise<Reply> {
  const { request, path } = call;
  assertObjectMediaType(request);
  const options = writeOptions(call, 'CreateOptions');
  const binding = await readObject(request, bindingType, options);
  settleNamespace({ ...path, type: bindingType }, binding);
  if (binding.metadata.name !== path.name) {
    throw badRequest('name in URL does not match name in Binding object');
  }
  return json(201, bindPod(binding, { store, ...options }));
}

async function replace({ store }: Services, call: ResourceRequest, form: Representation): Promise<Reply> {
  const { path } = call;
  assertObjectMediaType(call.request);
  const options = writeOptions(call, 'UpdateOptions');
  const object = await readObject(call.request, path.type, options);
  settleNamespace(path, object);
  settleName(path, object);
  const old = existing(store, path);
  if (!path.type.isBuiltIn && !object.metadata.resourceVersion) {
    const fault = invalidValue('metadata.resourceVersion', 0, 'must be specified for an update');
    // Here the real server names the resource where elsewhere it names the kind.
    throw invalid({ ...path.type, kind: path.type.plural }, object.metadata.name, [fault]);
  }
  const updated = updateObject(store, path.type, old, object, path.subresource, options);
  return json(200, form.object(path.type, updated), form.contentType);
}

async function patch({ store }: Services, call: ResourceRequest, form: Representation): Promise<Reply> {
  const { path } = call;
  const patchType = patchTypeOf(path.type, call.request);
  const options = writeOptions(call, 'PatchOptions', patchType === 'apply');
  const body = await readBody(call.request);
  const { value, text, fault } = body;
  if (fault && text !== '') throw badRequest(`error decoding patch: ${fault}`);
  const result = patchObject(store, {
    path,
    patchType,
    body: value === undefined ? {} : value,
    complaints: complaintsOf(body, options),
    old: find(store, path),
    query: call.query,
    options,
  });
  return json(result.isNew ? 201 : 200, form.object(path.type, result.object), form.contentType);
}

async function remove({ store }: Services, call: ResourceRequest, form: Representation): Promise<Reply> {
  const { path, query } = call;
  assertObjectMediaType(call.request);
  const body = await readBody(call.request);
  const options = readDeleteOptions(body, query);
  const { isGone, object } = deleteObject(store, path.type, existing(store, path), options);
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
  assertObjectMediaType(call.request);
  const options = readDeleteOptions(await readBody(call.request), query);
  assertListOptions(query);
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
  if (given === '') {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  object.metadata.name = name;
}
