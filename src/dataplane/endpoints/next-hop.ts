// What both ends of a pod's link agree on: the pod's next hop, and that an address stands alone.
import type { NewRoute } from '../../kernel/index.ts';
import { bitsOf, type Family, formatAddress, parseAddress } from '../../net/index.ts';

/** Every host's end has it; names and addresses tell pods apart, not this. */
export const hostMac = 'ee:ee:ee:ee:ee:ee';

/** What a pod sends to when it sends anywhere. IPv6: the link-local address that the host's MAC address gives (RFC 4291 appendix A). */
export const nextHops: Readonly<Record<Family, string>> = {
  4: '169.254.1.1',
  6: 'fe80::ecee:eeff:feee:eeee',
};

/** What the host's routes to its pods say of themselves. */
export interface DeviceRoutes {
  readonly protocol: number;
  /** Lower is preferred; the kernel's own when absent. */
  readonly metrics: Readonly<Partial<Record<Family, number>>>;
  /** The address from which the host speaks to its pods; the kernel chooses when absent. */
  readonly sources: Readonly<Partial<Record<Family, string>>>;
}

/** Felix' default deviceRouteProtocol: RTPROT_BOOT. */
export const deviceRouteProtocol = 3;

export const plainDeviceRoutes: DeviceRoutes = { protocol: deviceRouteProtocol, metrics: {}, sources: {} };

export function deviceRoute(
  address: string,
  link: number,
  { protocol, metrics, sources }: DeviceRoutes,
): NewRoute {
  const { family } = parseAddress(address);
  const [metric, source] = [metrics[family], sources[family]];
  return {
    destination: wholeNet(address),
    protocol,
    link,
    ...(metric !== undefined && { metric }),
    // As the kernel writes it, or the route could not be told from another.
    ...(source && { source: formatAddress(parseAddress(source)) }),
  };
}

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
