// Kubernetes' quantity functions: "1.5Gi", "100m", "1e3" as exact numbers.
// Source: https://pkg.go.dev/k8s.io/apiserver/pkg/cel/library#Quantity and k8s.io/apimachinery/pkg/api/resource
import type { Environment } from '@marcbachmann/cel-js';
import { parseQuantity, quantityPattern } from '../../../resources/index.ts';
import type { Comparable } from '../equal.ts';
import { noResult } from '../fault.ts';

const nano = 1_000_000_000n;

class Quantity implements Comparable {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
  equals(other: unknown): boolean {
    return other instanceof Quantity && other.nanos === this.nanos;
  }
}

export function registerQuantities(environment: Environment): void {
  const method = (signature: string, handler: (...values: never[]) => unknown) =>
    environment.registerFunction(signature, handler, { async: false });
  const sumOf = (a: Quantity, b: Quantity) => new Quantity(a.nanos + b.nanos);
  const difference = (a: Quantity, b: Quantity) => new Quantity(a.nanos - b.nanos);
  environment
    .registerType('kubernetes.Quantity', { ctor: Quantity })
    .registerOperator('kubernetes.Quantity == kubernetes.Quantity', (a: Quantity, b: Quantity) =>
      a.equals(b),
    );
  const type = 'kubernetes.Quantity';
  method('isQuantity(string): bool', (text: string) => quantityOf(text) !== undefined);
  method(`quantity(string): ${type}`, (text: string) => {
    const quantity = quantityOf(text);
    if (!quantity)
      throw noResult(`quantities must match the regular expression '${quantityPattern.source}': "${text}"`);
    return quantity;
  });
  method(`${type}.sign(): int`, (one: Quantity) => BigInt(Number(one.nanos > 0n) - Number(one.nanos < 0n)));
  method(`${type}.isInteger(): bool`, isInteger);
  method(`${type}.asInteger(): int`, (one: Quantity) => {
    if (!isInteger(one)) throw noResult('cannot convert value to integer');
    return one.nanos / nano;
  });
  method(`${type}.asApproximateFloat(): double`, (one: Quantity) => Number(one.nanos) / Number(nano));
  method(`${type}.add(${type}): ${type}`, sumOf);
  method(`${type}.add(int): ${type}`, (one: Quantity, more: bigint) => sumOf(one, fromInteger(more)));
  method(`${type}.sub(${type}): ${type}`, difference);
  method(`${type}.sub(int): ${type}`, (one: Quantity, less: bigint) => difference(one, fromInteger(less)));
  method(`${type}.isLessThan(${type}): bool`, (a: Quantity, b: Quantity) => a.nanos < b.nanos);
  method(`${type}.isGreaterThan(${type}): bool`, (a: Quantity, b: Quantity) => a.nanos > b.nanos);
  method(`${type}.compareTo(${type}): int`, (a: Quantity, b: Quantity) =>
    BigInt(Number(a.nanos > b.nanos) - Number(a.nanos < b.nanos)),
  );
}

function fromInteger(value: bigint): Quantity {
  return new Quantity(value * nano);
}

function isInteger(one: Quantity): boolean {
  const whole = one.nanos / nano;
  return one.nanos % nano === 0n && BigInt.asIntN(64, whole) === whole;
}

function quantityOf(text: string): Quantity | undefined {
  const nanos = parseQuantity(text);
  return nanos === undefined ? undefined : new Quantity(nanos);
}
