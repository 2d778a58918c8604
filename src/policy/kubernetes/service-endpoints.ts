// What an EndpointSlice says of its service: the addresses and ports that stand behind it. Endpoints that are not ready
// are behind it too: a rule is about who they are, not about whether traffic is sent to them now.
import { formatAddress, protocolNumber, tryParseAddress } from '../../net/index.ts';
import { type EndpointSlice, serviceNameLabel } from '../../resources/index.ts';
import type { EndpointPort } from '../endpoint.ts';
import type { ServiceName } from '../model.ts';

export interface ServiceEndpoints {
  readonly service: ServiceName;
  /** Canonical; what is no address of the slice's family is left out. */
  readonly addresses: readonly string[];
  readonly ports: readonly EndpointPort[];
}

/** Undefined for a slice that belongs to no service. Ports without a number, and of unknown protocols, are left out. */
export function serviceEndpoints(slice: EndpointSlice): ServiceEndpoints | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  const { namespace } = slice.metadata;
  if (!name || !namespace) return undefined;
  const family = { IPv4: 4, IPv6: 6 }[slice.addressType];
  return {
    service: { namespace, name },
    addresses: (slice.endpoints ?? [])
      .flatMap((endpoint) => endpoint.addresses)
      .flatMap((text) => {
        const address = tryParseAddress(text);
        return address && address.family === family ? [formatAddress(address)] : [];
      }),
    ports: (slice.ports ?? []).flatMap(({ name: own = '', protocol = 'TCP', port }) => {
      const number = protocolNumber(protocol);
      return number === undefined || port === undefined ? [] : [{ name: own, protocol: number, port }];
    }),
  };
}
