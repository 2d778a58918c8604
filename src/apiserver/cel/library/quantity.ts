// Kubernetes' quantity functions: "1.5Gi", "100m", "1e3" as exact numbers.
// Source: https://pkg.go.dev/k8s.io/apiserver/pkg/cel/library#Quantity and k8s.io/apimachinery/pkg/api/resource
import type { Environment } from '@marcbachmann/cel-js';
import type { Comparable } from '../equal.ts';
import { noResult } from '../fault.ts';

const shape = /^([+-]?)(\d+\.?\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
/** The finest step that a quantity can tell apart. */
const nano = 1_000_000_000n;
const decimalExponent: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryStep: readonly string[] = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

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
  method('isQuantity(string): bool', (text: string) => tryParse(text) !== undefined);
  method(`quantity(string): ${type}`, (text: string) => {
    const quantity = tryParse(text);
    if (!quantity)
      throw noResult(`quantities must match the regular expression '${shape.source}': "${text}"`);
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

/** What is finer than a billionth is rounded away from zero, as Kubernetes does. */
function tryParse(text: string): Quantity | undefined {
  const [, sign, digits, suffix = ''] = shape.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const [whole = '', fraction = ''] = digits.split('.');
  const power = binaryStep.indexOf(suffix) + 1;
  const exponent = power > 0 ? 0 : (decimalExponent[suffix] ?? (suffix === '' ? 0 : Number(suffix.slice(1))));
  if (Math.abs(exponent) > 100) return undefined;
  const scale = 9 + exponent - fraction.length;
  const value = BigInt(whole + fraction) * 1024n ** BigInt(power);
  const divisor = 10n ** BigInt(Math.max(0, -scale));
  const nanos = (value * 10n ** BigInt(Math.max(0, scale)) + divisor - 1n) / divisor;
  return new Quantity(sign === '-' ? -nanos : nanos);
}
