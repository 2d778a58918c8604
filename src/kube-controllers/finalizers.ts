// Finalizers: a deleted object stays, marked, until whoever put one on it has taken it off again.
import type { Datastore } from '../datastore/index.ts';
import type { Resource, ResourceKind } from '../resources/index.ts';

/**
 * Puts a finalizer on an object, or takes it off, unless that is so already.
 * @throws ConflictError when the object has changed since it was read, NotFoundError
 */
export async function setFinalizer<T extends Resource>(
  datastore: Datastore,
  kind: ResourceKind<T>,
  { metadata }: T,
  finalizer: string,
  isWanted: boolean,
): Promise<void> {
  const { name, resourceVersion, finalizers = [] } = metadata;
  if (finalizers.includes(finalizer) === isWanted) return;
  const others = finalizers.filter((other) => other !== finalizer);
  // By the revision that was read, for a patch replaces the whole list.
  await datastore.mergePatch(
    kind,
    { name },
    { metadata: { resourceVersion, finalizers: isWanted ? [...others, finalizer] : others } },
  );
}
