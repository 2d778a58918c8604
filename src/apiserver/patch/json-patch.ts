// JSON Patch (RFC 6902).
import { fieldOf, isEqual, isObject, type Json, type JsonObject, setField } from '../json.ts';
import { badRequest, StatusError } from '../status-error.ts';

/** Returns the patched document; the given one is not altered. @throws StatusError 400 for a malformed patch, 422 for one that does not fit */
export function applyJsonPatch(document: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw badRequest('A JSON patch must be a list of operations');
  const holder: JsonObject = { root: structuredClone(document) };
  for (const operation of patch) {
    if (!isObject(operation)) throw badRequest('Each operation of a JSON patch must be an object');
    perform(holder, operation);
  }
  return holder.root ?? null;
}

function perform(holder: JsonObject, operation: JsonObject): void {
  const path = pointer(operation.path);
  switch (operation.op) {
    case 'add':
      put(holder, path, structuredClone(operation.value ?? null), 'insert');
      break;
    case 'replace':
      read(holder, path);
      put(holder, path, structuredClone(operation.value ?? null), 'set');
      break;
    case 'remove':
      remove(holder, path);
      break;
    case 'test':
      if (!isEqual(read(holder, path), operation.value))
        throw unfit(`testing value ${operation.path} failed`);
      break;
    case 'copy':
      put(holder, path, structuredClone(read(holder, pointer(operation.from))), 'insert');
      break;
    case 'move': {
      const from = pointer(operation.from);
      const value = read(holder, from);
      remove(holder, from);
      put(holder, path, value, 'insert');
      break;
    }
    default:
      throw badRequest(`Unexpected kind of JSON patch operation: ${JSON.stringify(operation.op)}`);
  }
}

/** RFC 6901, below the holder's "root". */
function pointer(text: Json | undefined): string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) {
    throw badRequest(`Not a JSON pointer: ${JSON.stringify(text)}`);
  }
  return [
    'root',
    ...text
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
  ];
}

function unfit(why: string): StatusError {
  return new StatusError(422, 'Invalid', `The request is invalid: ${why}`);
}

function read(holder: JsonObject, path: readonly string[]): Json {
  let at: Json | undefined = holder;
  for (const part of path) {
    at = Array.isArray(at)
      ? at[indexIn(at, part, at.length - 1)]
      : isObject(at)
        ? fieldOf(at, part)
        : undefined;
    if (at === undefined) throw unfit(`the path "/${path.slice(1).join('/')}" does not exist`);
  }
  return at;
}

function indexIn(list: readonly Json[], part: string, last: number): number {
  const index = part === '-' ? list.length : Number(part);
  if (!/^(-|0|[1-9]\d*)$/.test(part) || index > last) throw unfit(`the list has no index "${part}"`);
  return index;
}

function put(holder: JsonObject, path: readonly string[], value: Json, mode: 'insert' | 'set'): void {
  const parent = read(holder, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(parent)) {
    if (mode === 'insert') parent.splice(indexIn(parent, last, parent.length), 0, value);
    else parent[indexIn(parent, last, parent.length - 1)] = value;
  } else if (isObject(parent)) setField(parent, last, value);
  else throw unfit(`the path "/${path.slice(1).join('/')}" leads into a scalar`);
}

function remove(holder: JsonObject, path: readonly string[]): void {
  read(holder, path);
  const parent = read(holder, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, parent.length - 1), 1);
  else if (isObject(parent)) delete parent[last];
}
