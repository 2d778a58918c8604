// The namespace controller: what every namespace has from the start, and its end (contents first, then itself).
// Driven by the store's events alone.
import { type KubeObject, listAt, objectAt } from './json.ts';
import { serviceAccountType } from './kinds/data.ts';
import { namespaceType } from './kinds/namespace.ts';
import type { Registry } from './kinds/registry.ts';
import { collectionOf, type ResourceType } from './kinds/resource-type.ts';
import { deleteObject } from './objects/delete.ts';
import { takeIn, type WriteOptions } from './objects/intake.ts';
import { createObject } from './objects/write.ts';
import type { Store } from './store/store.ts';

const asController: WriteOptions = {
  dryRun: false,
  fieldValidation: 'Strict',
  warn: () => {},
  fieldManager: 'namespace-controller',
};

const asServer: WriteOptions = { ...asController, fieldManager: 'kube-apiserver' };

/** Starts it; returns how to stop it. `default` and `kube-system` exist when it returns. */
export function runNamespaceController(store: Store, registry: Registry): () => void {
  const pending = new Set<string>();
  let isStopped = false;

  function schedule(namespace: string): void {
    if (pending.has(namespace)) return;
    pending.add(namespace);
    // After the write that caused it has been answered, and once for all writes of a turn.
    setImmediate(() => {
      pending.delete(namespace);
      if (!isStopped) reconcile(store, registry, namespace);
    });
  }

  const unsubscribe = store.subscribe(undefined, ({ collection, type, object }) => {
    if (collection === 'namespaces' && type !== 'DELETED') schedule(object.metadata.name);
    const { namespace } = object.metadata;
    if (namespace === undefined || type !== 'DELETED') return;
    schedule(namespace);
  });

  for (const name of ['default', 'kube-system']) {
    if (!store.get('namespaces', '', name)) create(store, namespaceType, { metadata: { name } }, asServer);
  }
  for (const namespace of store.list('namespaces')) reconcile(store, registry, namespace.metadata.name);
  return () => {
    isStopped = true;
    unsubscribe();
  };
}

function create(
  store: Store,
  type: ResourceType,
  body: { metadata: { name: string; namespace?: string } },
  options = asController,
): void {
  createObject(store, type, takeIn(type, body, options), options);
}

function reconcile(store: Store, registry: Registry, name: string): void {
  const namespace = store.get('namespaces', '', name);
  if (!namespace) return;
  if (namespace.metadata.deletionTimestamp) empty(store, registry, namespace);
  else if (!store.get(collectionOf(serviceAccountType), name, 'default')) {
    create(store, serviceAccountType, { metadata: { name: 'default', namespace: name } });
  }
}

/** Deletes what is in it; when nothing is left, lets the namespace go. Called again for each object that goes. */
function empty(store: Store, registry: Registry, namespace: KubeObject): void {
  const { name } = namespace.metadata;
  let remaining = 0;
  const types = new Map(
    registry.types.filter((type) => type.namespaced).map((type) => [collectionOf(type), type]),
  );
  for (const [collection, type] of types) {
    for (const object of store.list(collection, name)) {
      const isMarked = object.metadata.deletionTimestamp !== undefined;
      if (isMarked || !deleteObject(store, type, object, { dryRun: false }).isGone) remaining += 1;
    }
  }
  if (remaining > 0) return;
  const finalizers = listAt(namespace, 'spec', 'finalizers');
  const others = finalizers.filter((one) => one !== 'kubernetes');
  if (others.length + (namespace.metadata.finalizers ?? []).length === 0)
    store.remove('namespaces', namespace);
  else if (others.length < finalizers.length) {
    store.put('namespaces', { ...namespace, spec: { ...objectAt(namespace, 'spec'), finalizers: others } });
  }
}
