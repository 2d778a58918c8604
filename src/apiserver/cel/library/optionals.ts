// What of CEL's optional values the CEL library leaves out: optional.ofNonZeroValue.
// Source: https://pkg.go.dev/github.com/google/cel-go/cel#OptionalTypes. The macros optMap and optFlatMap are not served.
import { type Environment, Optional } from '@marcbachmann/cel-js';

export function registerOptionals(environment: Environment): void {
  environment.registerFunction(
    'OptionalNamespace.ofNonZeroValue(A): optional<A>',
    (_: unknown, value: unknown) => (isZero(value) ? Optional.none() : Optional.of(value)),
    { async: false },
  );
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Map || value instanceof Set) return value.size === 0;
  return !value;
}
