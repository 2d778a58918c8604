// Shapes that recur in FelixConfiguration: durations, timeouts, words in any case, routing table ranges.
import Type from 'typebox';
import type { FieldOptions, Rule } from '../../field.ts';

/**
 * A Go duration ("90s", "1m30s"). The doubled backslash is the published CRD's own slip, kept so that the schemas stay
 * equal: it means that a decimal point is not understood.
 */
export function duration(options: FieldOptions = {}) {
  return Type.String({
    ...options,
    pattern: '^([0-9]+(\\\\.[0-9]+)?(ms|s|m|h))*$',
    patternMessage: 'must be a duration without fractions, such as "90s" or "1h30m"',
  });
}

/** A Go duration, or "Auto". */
export function timeout(options: FieldOptions = {}) {
  return Type.String({
    ...options,
    pattern: '^(([0-9]*(\\.[0-9]*)?(ms|s|h|m|us)+)+|Auto)$',
    patternMessage: 'must be a duration, such as "90s", or "Auto"',
  });
}

/** One of these words in upper, lower or mixed case, or nothing. */
export function anyCase(words: readonly string[], options: FieldOptions = {}) {
  return Type.String({
    ...options,
    pattern: `^(?i)(${words.join('|')})?$`,
    patternMessage: `must be one of ${words.map((word) => `"${word}"`).join(', ')}`,
  });
}

export const tableRangeRules: Rule[] = [
  {
    rule: 'self.min >= 1 && self.min <= self.max',
    message: 'must run from min to max, both at least 1',
    holds: (value) => {
      const { min, max } = value as { min: number; max: number };
      return min >= 1 && min <= max;
    },
  },
];
