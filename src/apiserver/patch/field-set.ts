// Sets of field paths, as `FieldsV1` of managedFields writes them: "f:name" a field, "k:{...}" a list item by its keys,
// "v:..." a member of a set, "." the thing itself. Source: the format notes of kubernetes-sigs/structured-merge-diff.
import { fieldOf, isEqual, isObject, type Json, type JsonObject, setField } from '../json.ts';
import { metadataSchema } from '../objects/metadata.ts';
import { childSchema } from '../schema/prune.ts';
import type { Schema } from '../schema/schema.ts';

/** Paths by their joined form. */
export type FieldSet = Map<string, readonly string[]>;

function keyOfPath(path: readonly string[]): string {
  return path.join('\n');
}

/** What identifies a resource is nobody's field, nor is what only the server writes. */
const unowned = new Set(['f:apiVersion', 'f:kind', 'f:metadata']);
export const ownableMetadata = ['generateName', 'labels', 'annotations', 'finalizers', 'ownerReferences'];

/** The fields that an object sets: its leaves, its empty containers, and its keyed list items. */
export function fieldsOf(schema: Schema, object: JsonObject): FieldSet {
  const fields: FieldSet = new Map();
  for (const [field, value] of Object.entries(object)) {
    const element = `f:${field}`;
    if (value !== undefined && !unowned.has(element))
      collect(childSchema(schema, field), value, [element], fields);
  }
  if (isObject(object.metadata)) {
    for (const field of ownableMetadata) {
      const value = object.metadata[field];
      if (value !== undefined) {
        collect(childSchema(metadataSchema, field), value, ['f:metadata', `f:${field}`], fields);
      }
    }
  }
  return fields;
}

function collect(schema: Schema | undefined, value: Json, path: readonly string[], fields: FieldSet): void {
  const add = () => fields.set(keyOfPath(path), path);
  if (Array.isArray(value)) {
    const elements = value.map((item) => elementOfItem(schema, item));
    if (value.length === 0 || elements.includes(undefined)) return void add();
    value.forEach((item, index) => {
      const at = [...path, elements[index] ?? ''];
      fields.set(keyOfPath(at), at);
      if (isObject(item)) collect(schema?.items, item, at, fields);
    });
    return;
  }
  const isAtomic = schema?.['x-kubernetes-map-type'] === 'atomic';
  if (!isObject(value) || isAtomic || Object.keys(value).length === 0) return void add();
  for (const [field, child] of Object.entries(value)) {
    if (child !== undefined) collect(childSchema(schema, field), child, [...path, `f:${field}`], fields);
  }
}

/** How a list item is called in a path; undefined when the list is one value, to be owned as a whole. */
export function elementOfItem(schema: Schema | undefined, item: Json): string | undefined {
  const kind = schema?.['x-kubernetes-list-type'];
  if (kind === 'set') return `v:${JSON.stringify(item)}`;
  const keys = schema?.['x-kubernetes-list-map-keys'];
  if (kind !== 'map' || !keys || !isObject(item)) return undefined;
  const identity: JsonObject = {};
  for (const key of [...keys].sort()) {
    identity[key] = fieldOf(item, key) ?? schema?.items?.properties?.[key]?.default;
  }
  return `k:${JSON.stringify(identity)}`;
}

/** The index of the item that a path element names; -1 when there is none. */
function indexOfItem(schema: Schema | undefined, list: readonly Json[], element: string): number {
  return list.findIndex((item) => elementOfItem(schema, item) === element);
}

function schemaBelow(schema: Schema | undefined, element: string): Schema | undefined {
  if (!element.startsWith('f:')) return schema?.items;
  return element === 'f:metadata' ? metadataSchema : childSchema(schema, element.slice(2));
}

function stepInto(schema: Schema | undefined, value: Json | undefined, element: string): Json | undefined {
  if (element.startsWith('f:')) return isObject(value) ? fieldOf(value, element.slice(2)) : undefined;
  return Array.isArray(value) ? value[indexOfItem(schema, value, element)] : undefined;
}

/** The value at a path; of an item or a container that it is there alone, because what it holds has paths of its own. */
export function valueOfField(schema: Schema, object: Json, path: readonly string[]): Json | undefined {
  let at: Json | undefined = object;
  let below: Schema | undefined = schema;
  for (const element of path) {
    at = stepInto(below, at, element);
    below = schemaBelow(below, element);
  }
  if (at === undefined) return undefined;
  return path.at(-1)?.startsWith('k:') || isContainer(below, at) ? true : at;
}

/** Whether what a value holds has paths of its own. */
function isContainer(schema: Schema | undefined, value: Json): boolean {
  if (isObject(value)) return schema?.['x-kubernetes-map-type'] !== 'atomic';
  const kind = schema?.['x-kubernetes-list-type'];
  return Array.isArray(value) && (kind === 'map' || kind === 'set');
}

/** Removes what a path names, in place; the keys of a list item stay as long as the item does, for they are its name,
 * and a container as long as it holds something. */
export function removeField(schema: Schema, object: Json, path: readonly string[]): void {
  const last = path.at(-1);
  let at: Json | undefined = object;
  let below: Schema | undefined = schema;
  for (const element of path.slice(0, -1)) {
    at = stepInto(below, at, element);
    below = schemaBelow(below, element);
  }
  if (last === undefined || isKeyOfItem(path.at(-2), last)) return;
  if (last.startsWith('f:')) {
    if (!isObject(at)) return;
    const value = fieldOf(at, last.slice(2));
    const isFull =
      value !== undefined &&
      isContainer(schemaBelow(below, last), value) &&
      Object.keys(value ?? {}).length > 0;
    if (!isFull) delete at[last.slice(2)];
  } else if (Array.isArray(at)) {
    const index = indexOfItem(below, at, last);
    if (index >= 0) at.splice(index, 1);
  }
}

function isKeyOfItem(parent: string | undefined, element: string): boolean {
  if (!parent?.startsWith('k:') || !element.startsWith('f:')) return false;
  return Object.hasOwn(JSON.parse(parent.slice(2)) as JsonObject, element.slice(2));
}

/** Lays one object's fields over another's, by the schema's list keys; neither is altered. */
export function mergeFields(schema: Schema | undefined, base: Json | undefined, over: Json): Json {
  if (Array.isArray(over) && Array.isArray(base)) {
    if (over.some((item) => elementOfItem(schema, item) === undefined)) return structuredClone(over);
    const merged = [...base];
    for (const item of over) {
      const index = indexOfItem(schema, merged, elementOfItem(schema, item) ?? '');
      if (index < 0) merged.push(structuredClone(item));
      else merged[index] = mergeFields(schema?.items, merged[index], item);
    }
    return merged;
  }
  if (!isObject(over) || !isObject(base) || schema?.['x-kubernetes-map-type'] === 'atomic') {
    return structuredClone(over);
  }
  const merged: JsonObject = { ...base };
  for (const [field, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = schemaBelow(schema, `f:${field}`);
    const before = fieldOf(merged, field);
    if (!isEqual(before, value)) setField(merged, field, mergeFields(below, before, value));
  }
  return merged;
}

/** As the nested object that travels in `fieldsV1`. */
export function encodeFields(fields: FieldSet): JsonObject {
  const root: JsonObject = {};
  const paths = [...fields.values()];
  for (const path of paths) {
    let at = root;
    for (const element of path) {
      const below = fieldOf(at, element);
      const next: JsonObject = isObject(below) ? below : {};
      setField(at, element, next);
      at = next;
    }
  }
  // A member that has members below itself says so with ".".
  for (const path of paths) {
    let at: JsonObject = root;
    for (const element of path) at = at[element] as JsonObject;
    if (Object.keys(at).length > 0) at['.'] = {};
  }
  return root;
}

export function decodeFields(encoded: Json | undefined): FieldSet {
  const fields: FieldSet = new Map();
  const walk = (node: Json | undefined, path: readonly string[]) => {
    if (!isObject(node)) return;
    const elements = Object.keys(node);
    const isMember = elements.length === 0 || elements.includes('.');
    if (isMember && path.length > 0) fields.set(keyOfPath(path), path);
    for (const element of elements) if (element !== '.') walk(node[element], [...path, element]);
  };
  walk(encoded, []);
  return fields;
}
