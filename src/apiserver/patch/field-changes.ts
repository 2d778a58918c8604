// Which fields a write changed, as trees in the form of `FieldsV1` (field-set.ts explains its elements), and the algebra of
// such trees. No path is spelled out and what a tree keeps of another is shared, because every write comes through here.
import { fieldOf, isEqual, isObject, type Json, type JsonObject, type KubeObject } from '../json.ts';
import type { ResourceType } from '../kinds/resource-type.ts';
import { metadataSchema } from '../objects/metadata.ts';
import { childSchema } from '../schema/prune.ts';
import type { Schema } from '../schema/schema.ts';
import { elementOfItem, ownableMetadata } from './field-set.ts';

/** Undefined stands for no field at all. */
export type FieldTree = JsonObject | undefined;

export interface FieldChanges {
  /** What the new state has, and the old one lacks or has otherwise. */
  readonly changed: FieldTree;
  /** What the old state has and the new one lacks. */
  readonly removed: FieldTree;
}

/** What a write to the main resource or to /status changed; `old` is undefined on creation. */
export function fieldChanges(
  type: ResourceType,
  old: KubeObject | undefined,
  next: KubeObject,
  subresource: string,
): FieldChanges {
  const leavesStatus = type.hasStatus && subresource !== 'status';
  const ownable = ({ apiVersion: _v, kind: _k, metadata: _m, status, ...rest }: JsonObject) =>
    leavesStatus || status === undefined ? rest : { ...rest, status };
  // The types of built-in kinds have a spec even when it is empty, so nobody brings it along.
  const none: JsonObject = type.isBuiltIn ? { spec: {}, ...type.emptyObject } : {};
  const before: JsonObject = old ? ownable(old) : none;
  const after = ownable(next);
  return {
    changed: underMetadata(
      notIn(type.schema, after, before, true),
      notIn(metadataSchema, ownMetadata(next), ownMetadata(old), true),
    ),
    removed:
      old &&
      underMetadata(
        notIn(type.schema, before, after, false),
        notIn(metadataSchema, ownMetadata(old), ownMetadata(next), false),
      ),
  };
}

function ownMetadata(object: KubeObject | undefined): JsonObject {
  const own: JsonObject = {};
  for (const field of ownableMetadata) {
    const value = object?.metadata[field];
    if (value !== undefined) own[field] = value;
  }
  return own;
}

function underMetadata(rest: FieldTree, metadata: FieldTree): FieldTree {
  return metadata ? { 'f:metadata': metadata, ...rest } : rest;
}

/** The fields of a value that another lacks and, if so wished, those that it has otherwise. */
function notIn(
  schema: Schema | undefined,
  value: Json | undefined,
  other: Json | undefined,
  orDiffers: boolean,
): FieldTree {
  if (value === undefined || value === other) return undefined;
  if (other === undefined) return allOf(schema, value);
  if (isMap(schema, value)) {
    if (!isMap(schema, other)) return allOf(schema, value);
    const tree: JsonObject = {};
    for (const field of Object.keys(value)) {
      const below = notIn(childSchema(schema, field), value[field], fieldOf(other, field), orDiffers);
      if (below) tree[`f:${field}`] = below;
    }
    return orNone(tree);
  }
  // Most lists are as they were, and then nobody needs their items' names.
  if (isEqual(value, other)) return undefined;
  const items = itemsOf(schema, value);
  if (!items) return orDiffers ? allOf(schema, value) : undefined;
  const otherItems = itemsOf(schema, other);
  if (!otherItems) return allOf(schema, value);
  const tree: JsonObject = {};
  for (const [element, item] of items) {
    const below = element.startsWith('k:')
      ? notIn(schema?.items, item, otherItems.get(element), orDiffers)
      : otherItems.has(element)
        ? undefined
        : {};
    if (below) tree[element] = below;
  }
  return orNone(tree);
}

/** Every field of a value, the value itself among them. */
function allOf(schema: Schema | undefined, value: Json): JsonObject {
  const tree: JsonObject = {};
  if (isMap(schema, value)) {
    for (const field of Object.keys(value)) {
      const child = value[field];
      if (child !== undefined) tree[`f:${field}`] = allOf(childSchema(schema, field), child);
    }
  } else {
    for (const [element, item] of itemsOf(schema, value) ?? []) {
      tree[element] = element.startsWith('k:') ? allOf(schema?.items, item) : {};
    }
  }
  return asMember(tree);
}

/** Whether each field of a value may have an owner of its own. */
function isMap(schema: Schema | undefined, value: Json): value is JsonObject {
  return isObject(value) && schema?.['x-kubernetes-map-type'] !== 'atomic';
}

/** A list's items by the names that they have in paths; undefined when it is owned as a whole, or no list. */
function itemsOf(schema: Schema | undefined, value: Json): Map<string, Json> | undefined {
  const kind = schema?.['x-kubernetes-list-type'];
  if (!Array.isArray(value) || (kind !== 'map' && kind !== 'set')) return undefined;
  const items = new Map<string, Json>();
  for (const item of value) {
    const element = elementOfItem(schema, item);
    if (element === undefined) return undefined;
    items.set(element, item);
  }
  return items;
}

/** What is in either tree. */
export function union(a: FieldTree, b: FieldTree): FieldTree {
  if (!a || !b) return a ?? b;
  const tree: JsonObject = { ...a };
  for (const element of Object.keys(b)) {
    if (element !== '.') tree[element] = union(nodeOf(a[element]), nodeOf(b[element])) ?? {};
  }
  return isMember(a) || isMember(b) ? asMember(tree) : tree;
}

/** What is in the first tree and not in the second; the first tree itself when they share nothing. */
export function difference(a: FieldTree, b: FieldTree): FieldTree {
  if (!a || !b) return a;
  let tree: JsonObject = a;
  for (const element of Object.keys(b)) {
    const node = nodeOf(a[element]);
    if (element === '.' || !node) continue;
    const rest = difference(node, nodeOf(b[element]));
    if (rest === node) continue;
    if (tree === a) tree = { ...a };
    if (rest) tree[element] = rest;
    else delete tree[element];
  }
  const isLeft = isMember(a) && !isMember(b);
  if (tree === a && isLeft === isMember(a)) return a;
  const { '.': _, ...below } = tree;
  if (isLeft) return asMember(below);
  return orNone(below);
}

/** A node with nothing below it is a field; one that has more below it says so with ".". */
function isMember(node: JsonObject): boolean {
  return node['.'] !== undefined || Object.keys(node).length === 0;
}

function orNone(tree: JsonObject): FieldTree {
  return Object.keys(tree).length > 0 ? tree : undefined;
}

function asMember(node: JsonObject): JsonObject {
  if (Object.keys(node).length > 0) node['.'] = {};
  return node;
}

function nodeOf(node: Json | undefined): FieldTree {
  return isObject(node) ? node : undefined;
}
