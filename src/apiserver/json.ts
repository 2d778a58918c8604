// The shapes that travel through the server: plain JSON, and the Kubernetes object in it. Nothing here knows a kind.

export type Json = null | boolean | number | string | Json[] | JsonObject;
/** A field set to undefined is a field that is absent. */
export type JsonObject = { [field: string]: Json | undefined };

/** What of ObjectMeta the server itself reads or writes; all else passes through. */
type ObjectMeta = {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: { [key: string]: string };
  annotations?: { [key: string]: string };
  finalizers?: string[];
  managedFields?: JsonObject[];
  [field: string]: Json | undefined;
};

/** An object as stored and served. A stored one is shared by cache, history and watchers: it is never altered, only replaced. */
export type KubeObject = {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: Json | undefined;
};

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The field that the document itself has under a name which somebody else chose. A plain index would find what every object of
 * JavaScript has besides: "constructor", "toString", and "__proto__", by which all other objects could be altered.
 */
export function fieldOf<V>(object: { readonly [field: string]: V | undefined }, name: string): V | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets such a field, whatever its name. */
export function setField(object: JsonObject, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** A deep copy, made several times faster than structuredClone does it. */
export function copyOf<V extends Json | undefined>(value: V): V;
export function copyOf(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => copyOf(item));
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const field of Object.keys(value)) {
    if (field === '__proto__') setField(copy, field, copyOf(value[field] ?? null));
    else copy[field] = copyOf(value[field]);
  }
  return copy;
}

/** The value under a chain of field names; undefined as soon as one is missing. */
export function valueAt(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const field of path) at = isObject(at) ? fieldOf(at, field) : undefined;
  return at;
}

/** The object under a chain of field names, or an empty one that is not attached to anything. */
export function objectAt(value: Json | undefined, ...path: readonly string[]): JsonObject {
  const found = valueAt(value, ...path);
  return isObject(found) ? found : {};
}

/** The list under a chain of field names, or an empty one. */
export function listAt(value: Json | undefined, ...path: readonly string[]): Json[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The string under a chain of field names, or the empty string. */
export function stringAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** Equality of JSON values, in which an absent field and an undefined one are the same. */
export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  for (const field of Object.keys(a)) if (!isEqual(a[field], fieldOf(b, field))) return false;
  for (const field of Object.keys(b))
    if (b[field] !== undefined && fieldOf(a, field) === undefined) return false;
  return true;
}
