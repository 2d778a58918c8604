// JSON Merge Patch (RFC 7396).
import { fieldOf, isObject, type Json, type JsonObject, setField } from '../json.ts';

/** Returns the patched document; neither argument is altered. */
export function applyMergePatch(document: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return structuredClone(patch);
  const merged: JsonObject = isObject(document) ? { ...document } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete merged[field];
    else setField(merged, field, applyMergePatch(fieldOf(merged, field), value));
  }
  return merged;
}
