// Deletion: preconditions, grace for pods that run somewhere, finalizers, and the long end of a namespace.
import { type KubeObject, objectAt, stringAt } from '../json.ts';
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
  if (collection === 'namespaces') {
    // Its end takes as long as its contents do, and nobody is given seconds for it.
    delete next.metadata.deletionGracePeriodSeconds;
    type.prepare?.(next, object, store);
  }
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
  // Here the real server names the kind where elsewhere it names the resource.
  const subject = { ...type, plural: type.kind };
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}).`;
    throw conflict(subject, name, `${why} The object might have been deleted and then recreated`);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}).`;
    throw conflict(subject, name, `${why} The object might have been modified`);
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
  const { deletionTimestamp, deletionGracePeriodSeconds: before = Number.POSITIVE_INFINITY } =
    object.metadata;
  if (before <= grace) return { ...object, metadata: { ...object.metadata } };
  const now = Date.now();
  // A shorter grace counts from the first deletion.
  const since = deletionTimestamp === undefined ? now : Date.parse(deletionTimestamp) - before * 1000;
  const end = since + grace * 1000;
  // Where it is over by now, whoever has to end the pod still has the least that there is.
  const isOver = end < now && grace > 0;
  const metadata = {
    ...object.metadata,
    deletionGracePeriodSeconds: isOver ? 1 : grace,
    deletionTimestamp: timestamp(Math.max(end, now)),
  };
  if (metadata.generation !== undefined) metadata.generation += 1;
  return { ...object, metadata };
}
