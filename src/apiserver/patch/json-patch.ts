// JSON Patch (RFC 6902).
import { goTypeOf } from '../go-words.ts';
import { fieldOf, isEqual, isObject, type Json, type JsonObject, setField } from '../json.ts';
import { badRequest, StatusError } from '../status-error.ts';

/**
 * Returns the patched document; the given one is not altered. As lenient as Kubernetes' own: a field that is not there may be
 * replaced, copied and tested as if it were null. What does not fit is refused without a word on what it was, as there.
 * @throws StatusError 400 for a malformed patch, 422 for one that does not fit
 */
export function applyJsonPatch(document: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw undecodable(patch, '[]handlers.jsonPatchOp');
  const holder: JsonObject = { root: structuredClone(document) };
  for (const operation of patch) {
    if (!isObject(operation)) throw undecodable(operation, 'handlers.jsonPatchOp');
    perform(holder, operation);
  }
  return holder.root ?? null;
}

function undecodable(value: Json, type: string): StatusError {
  return badRequest(
    `error decoding patch: json: cannot unmarshal ${goTypeOf(value)} into Go value of type ${type}`,
  );
}

function perform(holder: JsonObject, operation: JsonObject): void {
  const path = pointer(operation.path);
  switch (operation.op) {
    case 'add':
      put(holder, path, structuredClone(operation.value ?? null), 'insert');
      break;
    case 'replace':
      put(holder, path, structuredClone(operation.value ?? null), 'set');
      break;
    case 'remove':
      remove(holder, path);
      break;
    case 'test':
      if (!isEqual(read(holder, path), operation.value ?? null)) throw unfit();
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
      throw unfit();
  }
}

/** RFC 6901, below the holder's "root". */
function pointer(text: Json | undefined): string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) throw unfit();
  return [
    'root',
    ...text
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
  ];
}

function unfit(): StatusError {
  return new StatusError(
    422,
    'Invalid',
    'the server rejected our request due to an error in our request',
    {},
  );
}

/** The value at a path; null where the last part of it is no field of an object. */
function read(holder: JsonObject, path: readonly string[]): Json {
  let at: Json = holder;
  for (const [depth, part] of path.entries()) {
    if (Array.isArray(at)) at = at[indexIn(at, part, at.length - 1)] ?? null;
    else if (!isObject(at)) throw unfit();
    else {
      const found: Json | undefined = fieldOf(at, part);
      if (found === undefined && depth < path.length - 1) throw unfit();
      at = found ?? null;
    }
  }
  return at;
}

function indexIn(list: readonly Json[], part: string, last: number): number {
  const index = part === '-' ? list.length : Number(part);
  if (!/^(-|0|[1-9]\d*)$/.test(part) || index > last) throw unfit();
  return index;
}

function put(holder: JsonObject, path: readonly string[], value: Json, mode: 'insert' | 'set'): void {
  const parent = read(holder, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(parent)) {
    if (mode === 'insert') parent.splice(indexIn(parent, last, parent.length), 0, value);
    else parent[indexIn(parent, last, parent.length - 1)] = value;
  } else if (isObject(parent)) setField(parent, last, value);
  else throw unfit();
}

function remove(holder: JsonObject, path: readonly string[]): void {
  const parent = read(holder, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, parent.length - 1), 1);
  else if (isObject(parent) && fieldOf(parent, last) !== undefined) delete parent[last];
  else throw unfit();
}
