// Creation and replacement: the life of an object's metadata, the split of spec and status, optimistic concurrency.
// Objects come in already pruned and defaulted (intake.ts) and leave stored, or as they would be stored in a dry run.
import { randomUUID } from 'node:crypto';
import { copyOf, isEqual, type JsonObject, type KubeObject, listAt } from '../json.ts';
import { collectionOf, type ResourceType, type SubresourceName } from '../kinds/resource-type.ts';
import { trackCreation, trackUpdate } from '../patch/managed-fields.ts';
import { applyDefaults } from '../schema/default.ts';
import { forbiddenValue } from '../schema/validate.ts';
import { alreadyExists, badRequest, conflict, forbidden, invalid, notFound } from '../status-error.ts';
import type { Store } from '../store/store.ts';
import { assertValid, type WriteOptions } from './intake.ts';
import { lostPrecondition } from './lost-precondition.ts';
import { generateName, metadataWarnings } from './metadata.ts';
import { timestamp } from './timestamp.ts';

/** Stores a new object. @throws StatusError: exists, namespace missing or ending, invalid */
export function createObject(
  store: Store,
  type: ResourceType,
  object: KubeObject,
  options: WriteOptions,
): KubeObject {
  const { metadata } = object;
  if (!metadata.name && metadata.generateName) metadata.name = generateName(metadata.generateName);
  if (metadata.resourceVersion)
    throw badRequest('resourceVersion should not be set on objects to be created');
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink']) {
    delete metadata[field];
  }
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timestamp();
  if (type.hasGeneration) metadata.generation = 1;
  if (type.hasStatus) {
    delete object.status;
    applyDefaults(type.schema, object);
  }
  type.complete?.(object);
  if (options.fieldManager !== undefined) trackCreation(type, object, options.fieldManager);
  type.prepare?.(object, undefined, store);
  const collection = collectionOf(type);
  const namespace = metadata.namespace ?? '';
  if (store.get(collection, namespace, metadata.name)) throw alreadyExists(type, metadata.name);
  if (type.namespaced) assertNamespaceTakes(store, type, object);
  assertValid(type, object, undefined);
  warn(type, object, undefined, options);
  return options.dryRun ? object : store.put(collection, object);
}

function assertNamespaceTakes(store: Store, type: ResourceType, object: KubeObject): void {
  const { namespace = '', name } = object.metadata;
  const home = store.get('namespaces', '', namespace);
  if (!home) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace);
  if (!home.metadata.deletionTimestamp) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(type, name, why, [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]);
}

/**
 * Stores the next state of an object that exists. Of the main resource all but the status is taken, of /status the status
 * alone. Returns the stored state unchanged, with its revision, when nothing differs.
 * @throws StatusError: conflict with what is stored now, invalid
 */
export function updateObject(
  store: Store,
  type: ResourceType,
  old: KubeObject,
  object: KubeObject,
  subresource: SubresourceName | undefined,
  options: WriteOptions,
): KubeObject {
  const { name } = old.metadata;
  assertCurrent(type, old, object);
  const next = subresource === 'status' ? withStatus(type, old, object) : withoutStatus(type, old, object);
  keepSystemFields(old, next);
  assertNoNewFinalizer(type, old, next);
  type.complete?.(next);
  // Finalizers of a namespace are the server's affair but here.
  if (subresource !== 'finalize') type.prepare?.(next, old, store);
  if (type.hasGeneration && !isEqual(specPart(old), specPart(next))) {
    next.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  assertValid(type, next, old);
  warn(type, next, old, options);
  if (isEqual(old, next)) return old;
  if (options.fieldManager !== undefined) trackUpdate(type, old, next, options.fieldManager, subresource);
  if (options.dryRun) return next;
  const collection = collectionOf(type);
  if (isReadyToGo(next)) return store.remove(collection, next);
  if (store.get(collection, old.metadata.namespace ?? '', name) !== old) {
    throw conflict(type, name, 'the object changed while it was being written');
  }
  return store.put(collection, next);
}

function assertCurrent(type: ResourceType, old: KubeObject, object: KubeObject): void {
  const { resourceVersion, uid, name } = object.metadata;
  if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) {
    const why = 'the object has been modified; please apply your changes to the latest version and try again';
    throw conflict(type, name, why);
  }
  if (uid && uid !== old.metadata.uid) {
    throw conflict(type, name, lostPrecondition(type, old, 'UID', uid, old.metadata.uid));
  }
}

/** Whether only its finalizers were keeping a deleted object, and the last of them is gone. */
export function isReadyToGo(object: KubeObject): boolean {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata;
  const namespaceFinalizers =
    object.kind === 'Namespace' &&
    object.apiVersion === 'v1' &&
    listAt(object, 'spec', 'finalizers').length > 0;
  return (
    deletionTimestamp !== undefined &&
    !(deletionGracePeriodSeconds && deletionGracePeriodSeconds > 0) &&
    (finalizers ?? []).length === 0 &&
    !namespaceFinalizers
  );
}

/** Of what is sound and yet better said otherwise. */
function warn(
  type: ResourceType,
  object: KubeObject,
  old: KubeObject | undefined,
  options: WriteOptions,
): void {
  for (const warning of metadataWarnings(object, old, type)) options.warn(warning);
  for (const warning of type.warnings?.(object) ?? []) options.warn(warning);
}

/** Labels and annotations may be changed through /status of a built-in kind, too. */
function withStatus(type: ResourceType, old: KubeObject, object: KubeObject): KubeObject {
  const { status: _, metadata: before, ...others } = old;
  const { managedFields, ...kept } = before;
  const rest = copyOf({ ...others, metadata: kept });
  const { labels, annotations } = type.isBuiltIn ? object.metadata : {};
  const metadata = {
    ...rest.metadata,
    ...(managedFields && { managedFields }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
  };
  return {
    ...rest,
    metadata,
    ...(object.status === undefined ? {} : { status: object.status }),
  } as KubeObject;
}

function withoutStatus(type: ResourceType, old: KubeObject, object: KubeObject): KubeObject {
  if (!type.hasStatus) return { ...object, metadata: { ...object.metadata } };
  const { status: _, ...rest } = object;
  return {
    ...rest,
    metadata: { ...object.metadata },
    ...(old.status === undefined ? {} : { status: copyOf(old.status) }),
  } as KubeObject;
}

/** What the client cannot write is carried over from the stored state. */
function keepSystemFields(old: KubeObject, next: KubeObject): void {
  const kept = [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'generateName',
    'resourceVersion',
  ];
  for (const field of kept) {
    if (old.metadata[field] === undefined) delete next.metadata[field];
    else next.metadata[field] = old.metadata[field];
  }
  // An absent list keeps the old one; an empty one ([] or [{}]) resets it, as Kubernetes documents.
  const given = next.metadata.managedFields;
  if (given === undefined && old.metadata.managedFields)
    next.metadata.managedFields = old.metadata.managedFields;
  else if (given?.every((entry) => Object.keys(entry).length === 0)) delete next.metadata.managedFields;
  delete next.metadata.selfLink;
}

function assertNoNewFinalizer(type: ResourceType, old: KubeObject, next: KubeObject): void {
  if (!old.metadata.deletionTimestamp) return;
  const before = old.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((one) => !before.includes(one)).sort();
  if (added.length === 0) return;
  const found = added.map((one) => JSON.stringify(one)).join(', ');
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${found}}`;
  throw invalid(type, old.metadata.name, [forbiddenValue('metadata.finalizers', why)]);
}

function specPart(object: KubeObject): JsonObject {
  const { metadata: _m, status: _s, ...rest } = object;
  return rest;
}
