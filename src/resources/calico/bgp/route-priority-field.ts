// A field that holds the priority (metric) of a route in the kernel.
import { type FieldOptions, integer } from '../../field.ts';

/** Lower wins. 0 would be the kernel's "unset", and the greatest value is kept for routes of last resort. */
export function routePriority(options: FieldOptions = {}) {
  return integer({ minimum: 1, maximum: 2147483646, ...options });
}
