// Kubernetes' quantities: "1.5Gi", "100m", "1e3" as exact numbers.
// Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

export const quantityPattern = /^([+-]?)(\d+\.?\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
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

/** In billionths, the finest step there is: what is finer is rounded away from zero. Undefined when the text is none. */
export function parseQuantity(text: string): bigint | undefined {
  const [, sign, digits, suffix = ''] = quantityPattern.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const [whole = '', fraction = ''] = digits.split('.');
  const power = binaryStep.indexOf(suffix) + 1;
  const exponent = power > 0 ? 0 : (decimalExponent[suffix] ?? (suffix === '' ? 0 : Number(suffix.slice(1))));
  if (Math.abs(exponent) > 100) return undefined;
  const scale = 9 + exponent - fraction.length;
  const value = BigInt(whole + fraction) * 1024n ** BigInt(power);
  const divisor = 10n ** BigInt(Math.max(0, -scale));
  const nanos = (value * 10n ** BigInt(Math.max(0, scale)) + divisor - 1n) / divisor;
  return sign === '-' ? -nanos : nanos;
}
