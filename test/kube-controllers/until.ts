// Waits for what a controller is to bring about, told by the store of every change.
import type { Datastore } from '../../src/datastore/index.ts';
import { keyOf, type Resource, type ResourceKind } from '../../src/resources/index.ts';

const deadlineMs = 30_000;

/** Resolves with the objects of the kind once they are as wanted. @throws Error that says what was awaited and shows the objects */
export async function until<T extends Resource>(
  datastore: Datastore,
  kind: ResourceKind<T>,
  what: string,
  isSo: (objects: readonly T[]) => boolean,
): Promise<T[]> {
  const objects = new Map<string, T>();
  const { promise, resolve, reject } = Promise.withResolvers<T[]>();
  const look = () => isSo([...objects.values()]) && resolve([...objects.values()]);
  const timer = setTimeout(
    () => reject(new Error(`Still waiting for ${what}: ${JSON.stringify([...objects.values()], null, 1)}`)),
    deadlineMs,
  );
  let isInSync = false;
  const follower = datastore.follow(kind, {
    onUpsert: (object) => {
      objects.set(keyOf(object), object);
      if (isInSync) look();
    },
    onDelete: (key) => {
      objects.delete(keyOf({ metadata: key }));
      if (isInSync) look();
    },
    onInSync: () => {
      isInSync = true;
      look();
    },
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    follower.stop();
  }
}
