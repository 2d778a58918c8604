// Field selectors as they stand in a URL: "metadata.name=x,status.phase!=Running".
import { type KubeObject, valueAt } from '../json.ts';
import type { ResourceType } from '../kinds/resource-type.ts';
import { badRequest } from '../status-error.ts';

export interface FieldSelector {
  readonly matches: (object: KubeObject) => boolean;
  /** The only name that can match, when the selector demands one. */
  readonly name: string | undefined;
}

/** @throws StatusError 400 when the text is malformed or the kind does not select by that field. */
export function parseFieldSelector(text: string, type: ResourceType): FieldSelector {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  let name: string | undefined;
  const tests = parts.map((part) => {
    const match = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part);
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const [, field = '', operator, raw = ''] = match;
    // Backslashes protect commas, equal signs and themselves.
    const value = raw.replaceAll(/\\(.)/g, '$1');
    const isKnown =
      field === 'metadata.name' ||
      (field === 'metadata.namespace' && type.namespaced) ||
      type.selectableFields.includes(field);
    if (!isKnown) throw badRequest(`field label not supported: ${field}`);
    if (field === 'metadata.name' && operator !== '!=') name = value;
    const path = field.split('.');
    const read = (object: KubeObject) => String(valueAt(object, ...path) ?? '');
    return operator === '!='
      ? (object: KubeObject) => read(object) !== value
      : (object: KubeObject) => read(object) === value;
  });
  return { matches: (object) => tests.every((test) => test(object)), name };
}
