// Equality of CEL values of one type, as objects and the list functions need it.
import { Duration } from '@marcbachmann/cel-js/evaluator';

/** Something of our own that knows when it is equal to another of its kind. */
export interface Comparable {
  equals(other: unknown): boolean;
}

function isComparable(value: unknown): value is Comparable {
  return typeof value === 'object' && value !== null && 'equals' in value;
}

/** Deep equality. An int and a double are equal when they are the same number. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    // biome-ignore lint/suspicious/noDoubleEquals: across bigint and number, == compares the mathematical values.
    return typeof a !== 'string' && typeof b !== 'string' && a == b;
  }
  if (a instanceof Map) return b instanceof Map && a.size === b.size && hasSameEntries(a, b);
  if (a instanceof Set)
    return b instanceof Set && a.size === b.size && [...a].every((item) => hasItem(b, item));
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof Duration) return b instanceof Duration && a.seconds === b.seconds && a.nanos === b.nanos;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  return isComparable(a) && a.equals(b);
}

function hasSameEntries(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  for (const [key, value] of a) if (!b.has(key) || !isSame(value, b.get(key))) return false;
  return true;
}

/** Whether a list or set holds a value. */
export function hasItem(list: Iterable<unknown>, wanted: unknown): boolean {
  for (const item of list) if (isSame(item, wanted)) return true;
  return false;
}
