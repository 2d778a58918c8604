// URLs of the Kubernetes API: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
import type { ObjectKey, ResourceKind } from '../../resources/index.ts';
import type { ListOptions } from '../datastore.ts';

/** All objects of a kind, or those of a namespace. */
export function collectionPath(kind: ResourceKind, namespace?: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope = kind.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${kind.plural}`;
}

export function objectPath(kind: ResourceKind, key: ObjectKey, subresource?: 'status'): string {
  const path = `${collectionPath(kind, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

/** A collection's URL with selectors and what else stands in the query; undefined values are left out. */
export function queryPath(
  kind: ResourceKind,
  { namespace, labelSelector, fieldSelector }: ListOptions,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ labelSelector, fieldSelector, ...parameters })) {
    if (value !== undefined) query.set(name, value);
  }
  return `${collectionPath(kind, namespace)}?${query}`;
}
