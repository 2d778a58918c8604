// HostEndpoint: an interface of a node, or all of them, as what policies select.
import { formatAddress, protocolNumber, tryParseAddress } from '../../net/index.ts';
import type { HostEndpoint as HostEndpointObject } from '../../resources/index.ts';
import type { EndpointPort } from '../endpoint.ts';
import { writtenLabels } from '../labels.ts';

/** The name of a host endpoint's interface that stands for all that have no host endpoint of their own. */
export const allInterfaces = '*';

/** The profile that allows whatever no policy has decided; automatic host endpoints have it. */
export const defaultAllowProfile = 'projectcalico-default-allow';

export interface HostEndpoint {
  readonly name: string;
  readonly node: string;
  /** May be `allInterfaces`; undefined when the endpoint is found by its addresses. */
  readonly interfaceName: string | undefined;
  /** The expected addresses, canonical: what rules that select the endpoint mean. */
  readonly addresses: readonly string[];
  readonly profiles: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  readonly ports: readonly EndpointPort[];
}

export interface ReadHostEndpoint {
  readonly endpoint: HostEndpoint;
  /** One sentence per part that could not be understood and is left out. */
  readonly faults: readonly string[];
}

/** Never throws. */
export function hostEndpointOf({ metadata, spec }: HostEndpointObject): ReadHostEndpoint {
  const faults: string[] = [];
  const addresses = (spec.expectedIPs ?? []).flatMap((text, index) => {
    const address = tryParseAddress(text);
    if (!address) faults.push(`spec.expectedIPs[${index}]: "${text}" is not an address`);
    return address ? [formatAddress(address)] : [];
  });
  const ports = (spec.ports ?? []).flatMap(({ name, protocol, port }, index) => {
    const number = protocolNumber(/^\d+$/.test(String(protocol)) ? Number(protocol) : protocol);
    if (number === undefined) faults.push(`spec.ports[${index}]: "${protocol}" is not a protocol`);
    return number === undefined ? [] : [{ name, protocol: number, port }];
  });
  const endpoint = {
    name: metadata.name,
    node: spec.node ?? '',
    interfaceName: spec.interfaceName || undefined,
    addresses: [...new Set(addresses)],
    profiles: spec.profiles ?? [],
    labels: writtenLabels(metadata.labels),
    ports,
  };
  return { endpoint, faults };
}
