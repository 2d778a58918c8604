// What is said of an object that is not the one that was meant. The real server lets its storage say it, keys and all.
import type { KubeObject } from '../json.ts';
import type { ResourceType } from '../kinds/resource-type.ts';

export function lostPrecondition(
  { group, plural, isBuiltIn }: ResourceType,
  { metadata: { namespace, name } }: KubeObject,
  what: string,
  expected = '',
  found = '',
): string {
  const place = isBuiltIn ? [plural] : [group, plural];
  const key = ['/registry', ...place, ...(namespace ? [namespace] : []), name].join('/');
  const why = `Precondition failed: ${what} in precondition: ${expected}, ${what} in object meta: ${found}`;
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
}
