// Durations as Go and Kubernetes' resources write them.

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration ("1m30s"), or of a plain number of seconds; undefined for anything else. */
export function tryDurationMs(text: string, unitMs = 1000): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * unitMs;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined;
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (unitsMs[unit] ?? 0), 0);
}

/** As `tryDurationMs`. @throws RangeError that names the parameter, what it is, and what would be right */
export function durationMs(name: string, text: string): number {
  const value = tryDurationMs(text);
  if (value === undefined) throw new RangeError(`${name} is "${text}"; it must be a duration such as "90s"`);
  return value;
}
