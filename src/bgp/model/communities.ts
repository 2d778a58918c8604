// Communities by name and by value, and the routes that carry them.
import { formatCidr, tryParseCidr } from '../../net/index.ts';
import type { FamilyModel } from './bgp-model.ts';
import type { BgpSettings } from './settings.ts';

/** Standard "65000:100" (two of 16 bits, RFC 1997) or large "65000:100:200" (three of 32, RFC 8092). */
export function isCommunity(text: string): boolean {
  if (!/^[0-9]+(:[0-9]+){1,2}$/.test(text)) return false;
  const parts = text.split(':').map(Number);
  return parts.every((part) => part <= (parts.length === 2 ? 0xffff : 0xffffffff));
}

type Advertisement = FamilyModel['communities'][number];

/** Both families together. An advertisement with one unknown community is left out as a whole and reported. */
export function communitiesOf(
  { communities = [], prefixAdvertisements = [] }: BgpSettings,
  complain: (sentence: string) => void,
): Advertisement[] {
  const values = new Map(
    communities.flatMap(({ name, value }) => (name && value ? [[name, value] as const] : [])),
  );
  const advertised: Advertisement[] = [];
  for (const [index, { cidr: text = '', communities: names = [] }] of prefixAdvertisements.entries()) {
    const where = `spec.prefixAdvertisements[${index}]`;
    const cidr = tryParseCidr(text);
    const resolved = names.map((name) => values.get(name) ?? name);
    const unknown = resolved.find((value) => !isCommunity(value));
    if (!cidr) complain(`${where}.cidr: "${text}" is not a CIDR; it is left out`);
    else if (unknown !== undefined) {
      complain(
        `${where}.communities: "${unknown}" is neither a community nor the name of one; it is left out`,
      );
    } else advertised.push({ cidr: formatCidr(cidr), values: resolved });
  }
  return advertised;
}
