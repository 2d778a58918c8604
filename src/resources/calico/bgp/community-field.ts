// A field that holds a BGP community: standard, two numbers of 16 bits (RFC 1997), or large, three of 32 (RFC 8092).
import { type FieldOptions, string } from '../../field.ts';

const uint16 = '([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
const uint32 =
  '([0-9]|[1-9][0-9]{1,8}|[1-3][0-9]{9}|4[0-1][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|' +
  '42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[0-1][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])';

/** "65000:100" or "65000:100:200". */
export function communityValue(options: FieldOptions = {}) {
  return string({
    maxLength: 32,
    pattern: `^(${uint16}:${uint16}|${uint32}:${uint32}:${uint32})$`,
    patternMessage: 'must be a community, such as "65000:100" or "65000:100:200"',
    ...options,
  });
}
