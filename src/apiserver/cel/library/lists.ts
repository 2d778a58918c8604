// Kubernetes' list functions: isSorted, sum, min, max, indexOf, lastIndexOf.
// Source: https://pkg.go.dev/k8s.io/apiserver/pkg/cel/library#Lists
import type { Environment } from '@marcbachmann/cel-js';
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { isSame } from '../equal.ts';
import { noResult } from '../fault.ts';

/** What an element of an ordered list may be. */
type Ordered = bigint | number | string | boolean | Date | Duration | Uint8Array;
/** A list with set semantics comes as a Set. */
type List<T> = Iterable<T>;

export function registerLists(environment: Environment): void {
  for (const type of ['int', 'double', 'string', 'bool', 'bytes', timestamp, duration]) {
    environment
      .registerFunction(`list<${type}>.isSorted(): bool`, isSorted, { async: false })
      .registerFunction(`list<${type}>.min(): ${type}`, (list: List<Ordered>) => extreme(list, 'min', -1), {
        async: false,
      })
      .registerFunction(`list<${type}>.max(): ${type}`, (list: List<Ordered>) => extreme(list, 'max', 1), {
        async: false,
      });
  }
  environment
    .registerFunction('list<int>.sum(): int', sumOfIntegers, { async: false })
    .registerFunction('list<double>.sum(): double', (list: List<number>) => [...list].reduce(add, 0), {
      async: false,
    })
    .registerFunction(`list<${duration}>.sum(): ${duration}`, sumOfDurations, { async: false })
    .registerFunction('list<T>.indexOf(T): int', indexOf, { async: false })
    .registerFunction('list<T>.lastIndexOf(T): int', lastIndexOf, { async: false });
}

const timestamp = 'google.protobuf.Timestamp';
const duration = 'google.protobuf.Duration';

/** Negative when `a` comes first. */
function compare(a: Ordered, b: Ordered): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (a instanceof Duration && b instanceof Duration) {
    return a.seconds === b.seconds ? a.nanos - b.nanos : Number(a.seconds - b.seconds);
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSorted(list: List<Ordered>): boolean {
  let before: Ordered | undefined;
  for (const item of list) {
    if (before !== undefined && compare(before, item) > 0) return false;
    before = item;
  }
  return true;
}

function extreme(list: List<Ordered>, name: 'min' | 'max', sign: -1 | 1): Ordered {
  const [first, ...rest] = list;
  if (first === undefined) throw noResult(`${name} called on empty list`);
  return rest.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best), first);
}

const add = (a: number, b: number) => a + b;

function sumOfIntegers(list: List<bigint>): bigint {
  const sum = [...list].reduce((a, b) => a + b, 0n);
  if (BigInt.asIntN(64, sum) !== sum) throw noResult('integer overflow');
  return sum;
}

function sumOfDurations(list: List<Duration>): Duration {
  return [...list].reduce((a, b) => a.addDuration(b), new Duration(0));
}

function indexOf(list: List<unknown>, wanted: unknown): bigint {
  return BigInt([...list].findIndex((item) => isSame(item, wanted)));
}

function lastIndexOf(list: List<unknown>, wanted: unknown): bigint {
  return BigInt([...list].findLastIndex((item) => isSame(item, wanted)));
}
