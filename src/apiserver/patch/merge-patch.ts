// JSON Merge Patch (RFC 7396).
import { isObject, type Json, type JsonObject } from '../json.ts';

/** Returns the patched document; neither argument is altered. */
export function applyMergePatch(document: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return structuredClone(patch);
  const merged: JsonObject = isObject(document) ? { ...document } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete merged[field];
    else merged[field] = applyMergePatch(merged[field], value);
  }
  return merged;
}
