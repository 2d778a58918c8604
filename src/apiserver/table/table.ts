// Objects as rows of a `meta.k8s.io/v1` Table, which is what `kubectl get` prints.
import type { Json, JsonObject, KubeObject } from '../json.ts';
import type { Column, ResourceType } from '../kinds/resource-type.ts';

/** How much of each object travels with its row. */
export type RowObject = 'None' | 'Metadata' | 'Object';

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique within its namespace and kind',
  value: (object) => object.metadata.name,
};

/** A table of the objects, in their order; `metadata` is that of the list or of the single object. */
export function toTable(
  type: ResourceType,
  objects: readonly KubeObject[],
  metadata: JsonObject,
  rowObject: RowObject,
): JsonObject {
  const columns = [nameColumn, ...type.columns];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, type, format, description, priority }) => ({
      name,
      type,
      format: format ?? '',
      description: description ?? '',
      priority: priority ?? 0,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column): Json => column.value(object) ?? null),
      ...withObject(object, rowObject),
    })),
  };
}

function withObject(object: KubeObject, rowObject: RowObject): JsonObject {
  if (rowObject === 'None') return { object: null };
  return { object: rowObject === 'Object' ? object : toPartialMetadata(object) };
}

export function toPartialMetadata(object: KubeObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
