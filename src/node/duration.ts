// Durations as FelixConfiguration writes them.

const unitsMs: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a Go duration ("1m30s"), or of a plain number of seconds as environment variables have it. @throws RangeError */
export function durationMs(name: string, text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new RangeError(`${name} is "${text}"; it must be a duration such as "90s"`);
  }
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (unitsMs[unit] ?? 0), 0);
}
