// Equality of CEL values of one type, as objects and the list functions need it.
import { Duration } from '@marcbachmann/cel-js/evaluator';

/** Something of our own that knows when it is equal to another of its kind. */
export interface Comparable {
  equals(other: unknown): boolean;
}

function isComparable(value: unknown): value is Comparable {
  return typeof value === 'object' && value !== null && 'equals' in value;
}

const unorderedLists = new WeakSet<readonly unknown[]>();

/** Marks a list of items with keys, which equals another whatever the order. Returns the list. */
export function unordered(list: readonly unknown[]): readonly unknown[] {
  unorderedLists.add(list);
  return list;
}

/** Deep equality. An int and a double are equal when they are the same number. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // biome-ignore lint/suspicious/noDoubleEquals: across bigint and number, == compares the mathematical values.
  if (isNumber(a) && isNumber(b)) return a == b;
  if (a instanceof Map) return b instanceof Map && a.size === b.size && hasSameEntries(a, b);
  if (a instanceof Set)
    return b instanceof Set && a.size === b.size && [...a].every((item) => hasItem(b, item));
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof Duration) return b instanceof Duration && a.seconds === b.seconds && a.nanos === b.nanos;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    if (unorderedLists.has(a) || unorderedLists.has(b)) return a.every((item) => hasItem(b, item));
    return a.every((item, index) => isSame(item, b[index]));
  }
  return isComparable(a) && a.equals(b);
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
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
