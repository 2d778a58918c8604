// Field selectors as they stand in a URL: "metadata.name=x,status.phase!=Running".
import { type KubeObject, valueAt } from '../json.ts';
import type { ResourceType } from '../kinds/resource-type.ts';
import { childSchema } from '../schema/prune.ts';
import type { Schema } from '../schema/schema.ts';
import { badRequest } from '../status-error.ts';

export interface FieldSelector {
  readonly matches: (object: KubeObject) => boolean;
  /** The only name that can match, when the selector demands one. */
  readonly name: string | undefined;
}

/** @throws StatusError 400 when the text is malformed or the kind does not select by that field. */
export function parseFieldSelector(text: string, type: ResourceType): FieldSelector {
  // A comma after a backslash belongs to the value.
  const parts = (text.match(/(?:\\.|[^,\\])+/gs) ?? []).map((part) => splitPart(part, text));
  let name: string | undefined;
  const tests = parts.map(({ field, operator, value }) => {
    const isKnown =
      field === 'metadata.name' ||
      (field === 'metadata.namespace' && type.namespaced) ||
      type.selectableFields.includes(field);
    if (!isKnown) throw badRequest(`field label not supported: ${field}`);
    if (field === 'metadata.name' && operator !== '!=') name = value;
    const path = field.split('.');
    const absent = isBoolean(type.schema, path) ? 'false' : '';
    const read = (object: KubeObject) => String(valueAt(object, ...path) ?? absent);
    return operator === '!='
      ? (object: KubeObject) => read(object) !== value
      : (object: KubeObject) => read(object) === value;
  });
  return { matches: (object) => tests.every((test) => test(object)), name };
}

function isBoolean(schema: Schema, path: readonly string[]): boolean {
  return path.reduce<Schema | undefined>((at, field) => childSchema(at, field), schema)?.type === 'boolean';
}

function splitPart(part: string, whole: string): { field: string; operator: string; value: string } {
  const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
  if (!match) throw badRequest(`invalid selector: '${whole}'; can't understand '${part}'`);
  const [, field = '', operator = '', raw = ''] = match;
  return { field, operator, value: unescaped(raw) };
}

/** Backslashes protect commas, equal signs and themselves. */
function unescaped(raw: string): string {
  const bare = /(?<!\\)(?:\\\\)*=/.exec(raw);
  if (bare) throw badRequest(`invalid field selector: unescaped character in value: ${'='.charCodeAt(0)}`);
  return raw.replaceAll(/\\(.?)/gs, (sequence, character: string) => {
    if (['\\', ',', '='].includes(character)) return character;
    throw badRequest(`invalid field selector: invalid escape sequence: ${sequence}`);
  });
}
