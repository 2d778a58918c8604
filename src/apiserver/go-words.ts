// How Go, in which Kubernetes is written, shows values: what its decoders say has them in it.
import { isObject, type Json, type JsonObject } from './json.ts';

const escapes: { readonly [character: string]: string } = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** As %q: in double quotes, and what cannot be printed by its number. */
export function quotedInGo(text: string): string {
  return `"${[...text].map(escaped).join('')}"`;
}

function escaped(character: string): string {
  const known = escapes[character];
  if (known !== undefined) return known;
  if (character === ' ' || !/[\p{C}\p{Z}]/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000
    ? `\\u${code.toString(16).padStart(4, '0')}`
    : `\\U${code.toString(16).padStart(8, '0')}`;
}

/** What a decoder calls a JSON value that it cannot take. */
export function goTypeOf(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** What every decoder of objects says of a JSON value that is none. */
export function noObject(value: Json): string {
  const type = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
  return `json: cannot unmarshal ${goTypeOf(value)} into Go value of type ${type}`;
}

/** As %v: "map[data:map[a:1] list:[1 2]]". */
export function printedInGo(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(printedInGo).join(' ')}]`;
  if (!isObject(value)) return value === null || value === undefined ? '<nil>' : String(value);
  const fields = Object.keys(value).sort();
  return `map[${fields.map((field) => `${field}:${printedInGo(value[field])}`).join(' ')}]`;
}

const metadataOrder = [
  ...['name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'generation'],
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'labels', 'annotations'],
  ...['ownerReferences', 'finalizers', 'managedFields'],
];
const managerOrder = ['manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'fieldsV1', 'subresource'];

/** An object as a patch of it has it: maps by the names of their fields, and metadata of a built-in kind as its type has them. */
export function writtenInGo(object: JsonObject, isBuiltIn: boolean): string {
  if (!isBuiltIn || !isObject(object.metadata)) return JSON.stringify(sorted(object));
  const metadata: JsonObject = inOrder(object.metadata, metadataOrder);
  const { managedFields } = object.metadata;
  if (Array.isArray(managedFields)) {
    metadata.managedFields = managedFields.map((one) => (isObject(one) ? inOrder(one, managerOrder) : one));
  }
  return JSON.stringify({ ...(sorted({ ...object, metadata: {} }) as JsonObject), metadata });
}

function inOrder(object: JsonObject, order: readonly string[]): JsonObject {
  const fields = order.filter((field) => object[field] !== undefined);
  return Object.fromEntries(fields.map((field) => [field, sorted(object[field])]));
}

function sorted(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => sorted(item) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((field) => [field, sorted(value[field])]),
  );
}
