// CEL's set functions on lists: sets.contains, sets.equivalent, sets.intersects.
// Source: https://pkg.go.dev/github.com/google/cel-go/ext#Sets
import type { Environment } from '@marcbachmann/cel-js';
import { hasItem } from '../equal.ts';

/** CEL knows namespaces only as values with functions. */
class SetFunctions {}

type List = Iterable<unknown>;

export function registerSets(environment: Environment): void {
  environment
    .registerType('SetFunctions', SetFunctions)
    .registerConstant('sets', 'SetFunctions', new SetFunctions())
    .registerFunction(
      'SetFunctions.contains(list<T>, list<T>): bool',
      (_: SetFunctions, list: List, part: List) => contains(list, part),
      { async: false },
    )
    .registerFunction(
      'SetFunctions.equivalent(list<T>, list<T>): bool',
      (_: SetFunctions, a: List, b: List) => contains(a, b) && contains(b, a),
      { async: false },
    )
    .registerFunction(
      'SetFunctions.intersects(list<T>, list<T>): bool',
      (_: SetFunctions, a: List, b: List) => [...a].some((item) => hasItem(b, item)),
      { async: false },
    );
}

function contains(list: List, part: List): boolean {
  return [...part].every((item) => hasItem(list, item));
}
