// Deletion: preconditions, grace for pods that run somewhere, finalizers, and the long end of a namespace.
import { isObject, type Json, type KubeObject, objectAt, stringAt } from '../json.ts';
import { collectionOf, type ResourceType } from '../kinds/resource-type.ts';
import { conflict, forbidden } from '../status-error.ts';
import type { Store } from '../store/store.ts';
import { timestamp } from './timestamp.ts';
import { isReadyToGo } from './write.ts';

export interface DeleteOptions {
  readonly dryRun: boolean;
  /** Seconds that a running pod is given; what its spec says when absent. */
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Reads `metav1.DeleteOptions` from a body (which may be absent) and the query. */
export function readDeleteOptions(body: Json | undefined, query: URLSearchParams): DeleteOptions {
  const { gracePeriodSeconds, preconditions, dryRun } = objectAt(body);
  const fromQuery = query.get('gracePeriodSeconds');
  const grace = fromQuery === null ? gracePeriodSeconds : Number(fromQuery);
  const { uid, resourceVersion } = isObject(preconditions) ? preconditions : {};
  return {
    dryRun: query.get('dryRun') === 'All' || (Array.isArray(dryRun) && dryRun.includes('All')),
    ...(typeof grace === 'number' && grace >= 0 ? { gracePeriodSeconds: grace } : {}),
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  };
}

/** Returns whether the object is gone, and its last or present state. @throws StatusError 409 when a precondition fails */
export function deleteObject(
  store: Store,
  type: ResourceType,
  object: KubeObject,
  options: DeleteOptions,
): { readonly isGone: boolean; readonly object: KubeObject } {
  assertPreconditions(type, object, options);
  const { name } = object.metadata;
  const collection = collectionOf(type);
  if (collection === 'namespaces' && ['default', 'kube-system'].includes(name)) {
    throw forbidden(type, name, 'this namespace may not be deleted');
  }
  const grace = graceOf(collection, object, options);
  const next = markDeleted(object, grace);
  if (collection === 'namespaces') type.prepare?.(next, object, store);
  if (isReadyToGo(next))
    return { isGone: true, object: options.dryRun ? object : store.remove(collection, object) };
  const isMarkedAlready =
    object.metadata.deletionTimestamp !== undefined &&
    object.metadata.deletionGracePeriodSeconds === next.metadata.deletionGracePeriodSeconds;
  if (isMarkedAlready || options.dryRun) return { isGone: false, object: isMarkedAlready ? object : next };
  return { isGone: false, object: store.put(collection, next) };
}

function assertPreconditions(type: ResourceType, object: KubeObject, options: DeleteOptions): void {
  const { name, uid, resourceVersion } = object.metadata;
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`;
    throw conflict(type, name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`;
    throw conflict(type, name, why);
  }
}

/** Seconds to wait for a kubelet; only a pod that is on a node and has not ended has one to wait for. */
function graceOf(collection: string, object: KubeObject, options: DeleteOptions): number {
  if (collection !== 'pods') return 0;
  const phase = stringAt(object, 'status', 'phase');
  const runs = stringAt(object, 'spec', 'nodeName') !== '' && phase !== 'Succeeded' && phase !== 'Failed';
  if (!runs) return 0;
  const wished =
    options.gracePeriodSeconds ?? Number(objectAt(object, 'spec').terminationGracePeriodSeconds ?? 30);
  // A second deletion may shorten the wait, never lengthen it.
  return Math.min(wished, object.metadata.deletionGracePeriodSeconds ?? wished);
}

function markDeleted(object: KubeObject, grace: number): KubeObject {
  const metadata = { ...object.metadata, deletionGracePeriodSeconds: grace };
  const isSooner = (object.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY) > grace;
  if (isSooner) {
    metadata.deletionTimestamp = timestamp(Date.now() + grace * 1000);
    if (metadata.generation !== undefined) metadata.generation += 1;
  }
  return { ...object, metadata };
}
