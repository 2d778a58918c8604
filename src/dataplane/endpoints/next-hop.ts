// What both ends of a pod's link agree on: the pod's next hop, and that an address stands alone.
import { bitsOf, type Family, parseAddress } from '../../net/index.ts';

/** Every host's end has it; names and addresses tell pods apart, not this. */
export const hostMac = 'ee:ee:ee:ee:ee:ee';

/** What a pod sends to when it sends anywhere. IPv6: the link-local address that the host's MAC address gives (RFC 4291 appendix A). */
export const nextHops: Readonly<Record<Family, string>> = {
  4: '169.254.1.1',
  6: 'fe80::ecee:eeff:feee:eeee',
};

/** Felix' default deviceRouteProtocol: RTPROT_BOOT. */
export const deviceRouteProtocol = 3;

export function familiesOf(addresses: readonly string[]): Set<Family> {
  return new Set(addresses.map((address) => parseAddress(address).family));
}

/** "10.0.0.1" -> "10.0.0.1/32". */
export function wholeNet(address: string): string {
  return `${address}/${bitsOf(parseAddress(address).family)}`;
}

/** "0.0.0.0/0" or "::/0". */
export function everything(family: Family): string {
  return family === 4 ? '0.0.0.0/0' : '::/0';
}
