// What a Service asks of the load-balancer pools, as its type, class and annotations say. Pure.
import { type Address, type Family, parseAddress, tryParseAddress } from '../../net/index.ts';
import type { Service } from '../../resources/index.ts';

/** The class that Services name to have their addresses from Calico. */
const calicoClass = 'calico';

const annotations = {
  addresses: 'projectcalico.org/loadBalancerIPs',
  pools: { 4: 'projectcalico.org/ipv4pools', 6: 'projectcalico.org/ipv6pools' },
} as const;

export interface WantedAddresses {
  /** One address of each. */
  readonly families: readonly Family[];
  /** These very addresses, at most one of each family. */
  readonly addresses: readonly Address[];
  /** Names or CIDRs of the only pools to draw from. */
  readonly pools: { readonly [family in Family]?: readonly string[] };
}

export type AssignIPs = 'AllServices' | 'RequestedServicesOnly';

/** Undefined when the Service is none of ours. @throws RangeError that names the annotation and what would be right */
export function wantedAddresses(service: Service, assignIPs: AssignIPs): WantedAddresses | undefined {
  const { spec, metadata } = service;
  if (spec?.type !== 'LoadBalancer' || metadata.deletionTimestamp) return undefined;
  const isAsked = [annotations.addresses, ...Object.values(annotations.pools)].some(
    (name) => metadata.annotations?.[name] !== undefined,
  );
  const isOurs =
    spec.loadBalancerClass === calicoClass ||
    (spec.loadBalancerClass === undefined && (assignIPs === 'AllServices' || isAsked));
  if (!isOurs) return undefined;

  const families = (spec.ipFamilies ?? ['IPv4']).map((family) => (family === 'IPv6' ? 6 : 4));
  const addresses = readList(service, annotations.addresses, 'addresses', (text) => {
    return tryParseAddress(text) !== undefined;
  }).map(parseAddress);
  for (const [index, { family }] of addresses.entries()) {
    const isSecond = addresses.findIndex((other) => other.family === family) !== index;
    if (isSecond || !families.includes(family)) {
      const why = isSecond ? 'one address of each family is all it may ask for' : `it has no IPv${family}`;
      throw new RangeError(`${annotations.addresses} asks for an IPv${family} address too many: ${why}`);
    }
  }
  const pools = (family: Family) => readList(service, annotations.pools[family], 'names of pools');
  return {
    families,
    addresses,
    pools: Object.fromEntries(
      ([4, 6] as const).flatMap((family) => {
        const names = pools(family);
        return names.length > 0 ? [[family, names]] : [];
      }),
    ),
  };
}

/** A JSON list of strings; empty when the annotation is absent. */
function readList(
  { metadata }: Service,
  annotation: string,
  what: string,
  isRight: (text: string) => boolean = (text) => text !== '',
): string[] {
  const text = metadata.annotations?.[annotation];
  if (text === undefined) return [];
  const value = parseJson(text);
  if (
    Array.isArray(value) &&
    value.every((item): item is string => typeof item === 'string' && isRight(item))
  )
    return value;
  throw new RangeError(`${annotation} is '${text}'; it must be a JSON list of ${what}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told by the caller, who knows whose text it is.
    return undefined;
  }
}
