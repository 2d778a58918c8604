// What the host's routes to its pods say of themselves, by Felix' settings, and whether the kernel would take that: for a source
// it takes only an address that the node has.
import type { DeviceRoutes } from '../dataplane/index.ts';
import type { FelixSettings } from '../felix/index.ts';
import { formatAddress, parseAddress } from '../net/index.ts';

export interface UsableRoutes {
  readonly routes: DeviceRoutes;
  /** What of the settings is left out, a sentence each. */
  readonly faults: readonly string[];
}

/** `isOwn` says whether the node has an address, in canonical text. */
export function deviceRoutes(settings: FelixSettings, isOwn: (address: string) => boolean): UsableRoutes {
  const names = { 4: 'deviceRouteSourceAddress', 6: 'deviceRouteSourceAddressIPv6' } as const;
  const sources: Record<number, string> = {};
  const faults: string[] = [];
  for (const family of [4, 6] as const) {
    const asked = settings[names[family]];
    if (!asked) continue;
    const address = formatAddress(parseAddress(asked));
    if (isOwn(address)) sources[family] = address;
    else
      faults.push(
        `${names[family]} is ${asked}, which is no address of this node; until it is one the kernel chooses from which the node speaks to its pods`,
      );
  }
  return {
    routes: {
      protocol: settings.deviceRouteProtocol,
      metrics: { 4: settings.ipv4NormalRoutePriority, 6: settings.ipv6NormalRoutePriority },
      sources,
    },
    faults,
  };
}
