// A field that holds a duration as Go writes it.
import { type FieldOptions, string } from '../field.ts';

/** "90s", "1h30m", "0". No pattern in the published schema, so the check is ours. */
export function duration(options: FieldOptions = {}) {
  return string({ check: durationFault, ...options });
}

function durationFault(text: unknown): string | undefined {
  return /^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$|^0$/.test(String(text))
    ? undefined
    : 'must be a duration, such as "90s" or "1h30m"';
}
