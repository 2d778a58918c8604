// Strategic merge patch: a merge patch in which lists merge by the keys that the schema names, with its $directives.
// Source: the description in Kubernetes' API conventions (strategic-merge-patch.md).
import { fieldOf, isEqual, isObject, type Json, type JsonObject, setField } from '../json.ts';
import { metadataSchema } from '../objects/metadata.ts';
import { childSchema } from '../schema/prune.ts';
import type { Schema } from '../schema/schema.ts';
import { badRequest, StatusError } from '../status-error.ts';

const setOrder = '$setElementOrder/';
const deleteFromList = '$deleteFromPrimitiveList/';

/** Returns the patched object; neither argument is altered. @throws StatusError 400 for a malformed directive */
export function applyStrategicMergePatch(schema: Schema, object: JsonObject, patch: Json): JsonObject {
  if (!isObject(patch)) throw badRequest('A strategic merge patch must be an object');
  const whole: Schema = { ...schema, properties: { ...schema.properties, metadata: metadataSchema } };
  const { apiVersion, kind } = object;
  return { ...mergeObject(whole, structuredClone(object), patch), ...keptType(patch, { apiVersion, kind }) };
}

/** What an object is of outlives whatever a patch retains. */
function keptType(patch: JsonObject, type: JsonObject): JsonObject {
  return patch.$retainKeys === undefined ? {} : type;
}

function mergeObject(schema: Schema | undefined, object: JsonObject, patch: JsonObject): JsonObject {
  const { $patch, $retainKeys, ...fields } = patch;
  if ($patch === 'replace') return withoutDirectives(fields);
  if ($patch === 'delete') return {};
  if ($patch !== undefined && $patch !== 'merge')
    throw new StatusError(500, '', `unknown patch type: ${$patch} in map: map[$patch:${$patch}]`);
  const merged: JsonObject = { ...object };
  if (Array.isArray($retainKeys)) {
    for (const field of Object.keys(merged)) if (!$retainKeys.includes(field)) delete merged[field];
  }
  for (const [field, value] of Object.entries(fields)) {
    if (field.startsWith(deleteFromList)) {
      const name = field.slice(deleteFromList.length);
      const list = fieldOf(merged, name);
      if (Array.isArray(list) && Array.isArray(value)) {
        const kept = list.filter((item) => !value.some((gone) => isEqual(gone, item)));
        setField(merged, name, kept);
      }
    } else if (field.startsWith(setOrder) || value === undefined) continue;
    else if (value === null) delete merged[field];
    else {
      const mergedField = mergeValue(childSchema(schema, field), fieldOf(merged, field), value);
      if (mergedField === undefined) delete merged[field];
      else setField(merged, field, mergedField);
    }
  }
  for (const [field, order] of Object.entries(fields)) {
    if (!field.startsWith(setOrder) || !Array.isArray(order)) continue;
    const name = field.slice(setOrder.length);
    const list = fieldOf(merged, name);
    if (Array.isArray(list)) setField(merged, name, reorder(childSchema(schema, name), list, order));
  }
  return merged;
}

function mergeValue(schema: Schema | undefined, value: Json | undefined, patch: Json): Json | undefined {
  if (isObject(patch)) {
    if (patch.$patch === 'delete') return undefined;
    return mergeObject(schema, isObject(value) ? value : {}, patch);
  }
  if (!Array.isArray(patch)) return patch;
  if (schema?.['x-kubernetes-patch-strategy'] !== 'merge') return patch.map(withoutListDirectives);
  const base = Array.isArray(value) ? value : [];
  const key = schema['x-kubernetes-patch-merge-key'];
  return key === undefined ? mergeScalars(base, patch) : mergeItems(schema, key, base, patch);
}

function mergeScalars(base: readonly Json[], patch: readonly Json[]): Json[] {
  return [...base, ...patch.filter((item) => !base.some((one) => isEqual(one, item)))];
}

function mergeItems(schema: Schema, key: string, base: readonly Json[], patch: readonly Json[]): Json[] {
  const isReplaced = patch.some(
    (item) => isObject(item) && item.$patch === 'replace' && Object.keys(item).length === 1,
  );
  let merged = isReplaced ? [] : [...base];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`A list that merges by "${key}" takes objects only`);
    if (item.$patch === 'replace' && Object.keys(item).length === 1) continue;
    const isSame = (one: Json) => isObject(one) && isEqual(fieldOf(one, key), fieldOf(item, key));
    if (fieldOf(item, key) === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    if (item.$patch === 'delete') {
      merged = merged.filter((one) => !isSame(one));
      continue;
    }
    const index = merged.findIndex(isSame);
    const before = merged[index];
    const next = mergeObject(schema.items, isObject(before) ? before : {}, item);
    if (index < 0) merged.push(next);
    else merged[index] = next;
  }
  return merged;
}

/** Items named in `order` in that order; the others keep their place relative to what stood before them. */
function reorder(schema: Schema | undefined, list: readonly Json[], order: readonly Json[]): Json[] {
  const key = schema?.['x-kubernetes-patch-merge-key'];
  const identity = (item: Json) =>
    JSON.stringify(key !== undefined && isObject(item) ? fieldOf(item, key) : item);
  const rank = new Map(order.map((item, index) => [identity(item), index]));
  const ranked = list.filter((item) => rank.has(identity(item)));
  ranked.sort((a, b) => (rank.get(identity(a)) ?? 0) - (rank.get(identity(b)) ?? 0));
  // Each slot that held a named item takes the next named item.
  let next = 0;
  return list.map((item) => (rank.has(identity(item)) ? (ranked[next++] ?? item) : item));
}

function withoutDirectives(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !field.startsWith('$')));
}

function withoutListDirectives(item: Json): Json {
  return isObject(item) ? withoutDirectives(item) : item;
}
