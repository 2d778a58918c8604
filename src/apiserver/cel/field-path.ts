// `fieldPath` of a validation rule: which field below the rule's value is to blame. A list's items cannot be named.

import { childSchema } from '../schema/prune.ts';
import type { Schema } from '../schema/schema.ts';

const segment = /\.([^.['\]]+)|\['((?:[^'\\]|\\.)*)'\]/y;

/** What to put behind the path of the rule's value (".name", ".labels[app]"); undefined when the schema has no such field. */
export function parseFieldPath(schema: Schema, fieldPath: string): string | undefined {
  let at: Schema | undefined = schema;
  let path = '';
  segment.lastIndex = 0;
  while (segment.lastIndex < fieldPath.length) {
    const match = segment.exec(fieldPath);
    if (!match) return undefined;
    const field = match[1] ?? (match[2] ?? '').replace(/\\(.)/g, '$1');
    const isProperty = at?.properties !== undefined && Object.hasOwn(at.properties, field);
    at = childSchema(at, field);
    if (!at) return undefined;
    path += isProperty ? `.${field}` : `[${field}]`;
  }
  return path === '' ? undefined : path;
}
