// What Kubernetes' decoder, which is Go's, calls a JSON value that it cannot take.
import type { Json } from '../json.ts';

export function goTypeOf(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
