// Go's durations ("1h30m", "-1.5s") as CEL's.
import { Duration } from '@marcbachmann/cel-js/evaluator';

const nanosPer: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** The text is one that the schema's format "duration" lets pass. */
export function durationOf(text: string): Duration {
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|ms|s|m|h)/g,
  )) {
    const step = nanosPer[unit] ?? 0n;
    nanos += BigInt(whole || 0) * step + (BigInt(fraction || 0) * step) / 10n ** BigInt(fraction.length);
  }
  if (text.startsWith('-')) nanos = -nanos;
  const second = 1_000_000_000n;
  // The fraction counts upwards, also below zero.
  const below = ((nanos % second) + second) % second;
  return new Duration((nanos - below) / second, Number(below));
}
