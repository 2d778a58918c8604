// A field that holds the number of an autonomous system (RFC 6793: four bytes).
import { type FieldOptions, integer } from '../../field.ts';

/** The published schema says int32, so numbers above 2147483647 are refused by API servers. */
export function asNumber(options: FieldOptions = {}) {
  return integer({ format: 'int32', check: asNumberFault, ...options });
}

function asNumberFault(value: unknown): string | undefined {
  return Number(value) >= 1 && Number(value) <= 0x7fffffff ? undefined : 'must be from 1 to 2147483647';
}
