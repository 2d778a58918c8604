// Which addresses of services this node tells its peers of. A range is told as a whole by every node; an address whose
// service keeps traffic local (externalTrafficPolicy Local) is told besides, by the nodes that have an endpoint of it.
import {
  type Cidr,
  cidrContains,
  type Family,
  formatAddress,
  formatCidr,
  tryParseAddress,
  tryParseCidr,
} from '../../net/index.ts';
import { type EndpointSlice, keyOf, type Service, serviceNameLabel } from '../../resources/index.ts';
import type { FamilyModel } from './bgp-model.ts';
import type { BgpSettings } from './settings.ts';

/** Nodes that carry it take no traffic from outside, and so tell of no service. */
export const exclusionLabel = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** Fields of a BGPConfiguration: without any of them no service is told of. */
export const serviceRanges = ['serviceClusterIPs', 'serviceExternalIPs', 'serviceLoadBalancerIPs'] as const;

interface Ranges {
  readonly cluster: readonly Cidr[];
  readonly external: readonly Cidr[];
  readonly balanced: readonly Cidr[];
}

export interface ServiceInput {
  readonly node: string;
  readonly isExcluded: boolean;
  readonly settings: BgpSettings;
  readonly services: Iterable<Service>;
  readonly endpointSlices: Iterable<EndpointSlice>;
}

export type ServiceRoutes = FamilyModel['services'];

export function serviceRoutes(
  input: ServiceInput,
  complain: (sentence: string) => void,
): Record<Family, ServiceRoutes> {
  const { settings } = input;
  const ranges: Ranges = {
    cluster: cidrsOf('serviceClusterIPs', settings, complain),
    external: cidrsOf('serviceExternalIPs', settings, complain),
    balanced: cidrsOf('serviceLoadBalancerIPs', settings, complain),
  };
  const all = [...ranges.cluster, ...ranges.external, ...ranges.balanced];
  const routes = input.isExcluded || all.length === 0 ? [] : advertised(input, ranges);
  const of = (family: Family): ServiceRoutes => ({
    ranges: sorted(all.filter((cidr) => cidr.family === family).map(formatCidr)),
    routes: sorted(routes.filter((text) => text.includes(':') === (family === 6))),
  });
  return { 4: of(4), 6: of(6) };
}

function advertised({ node, settings, services, endpointSlices }: ServiceInput, ranges: Ranges): string[] {
  const isAggregated = settings.serviceLoadBalancerAggregation !== 'Disabled';
  // A range of one address is a service's own, and told where that service is.
  const whole = [...ranges.cluster, ...ranges.external, ...(isAggregated ? ranges.balanced : [])].filter(
    (cidr) => !isSingle(cidr),
  );
  const routes = whole.map(formatCidr);
  const local = servicesOnNode(node, endpointSlices);
  for (const service of services) {
    const isLocal = service.spec?.externalTrafficPolicy === 'Local';
    if (isLocal && !local.has(keyOf(service))) continue;
    for (const { text, within, isAlone } of addressesOf(service, ranges, isAggregated)) {
      const address = tryParseAddress(text);
      const range = address && within.find((cidr) => cidrContains(cidr, address));
      // What keeps no traffic local is reached by the range, where the range is told.
      if (!range || (!isLocal && !isAlone && !isSingle(range))) continue;
      routes.push(`${formatAddress(address)}/${address.family === 4 ? 32 : 128}`);
    }
  }
  return routes;
}

/** Every address of the service, the ranges in which it counts, and whether it is told by itself whatever its policy. */
function addressesOf({ spec, status }: Service, ranges: Ranges, isAggregated: boolean) {
  if (!spec || spec.type === 'ExternalName') return [];
  const clusterIps = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  return [
    ...clusterIps.map((text) => ({ text, within: ranges.cluster, isAlone: false })),
    ...(spec.externalIPs ?? []).map((text) => ({ text, within: ranges.external, isAlone: false })),
    ...(spec.type === 'LoadBalancer' ? balanced : []).map((text) => ({
      text,
      within: ranges.balanced,
      isAlone: !isAggregated,
    })),
  ];
}

/** "namespace/name" of every service with a ready endpoint on the node. */
function servicesOnNode(node: string, slices: Iterable<EndpointSlice>): Set<string> {
  const found = new Set<string>();
  for (const { metadata, endpoints } of slices) {
    const service = metadata.labels?.[serviceNameLabel];
    const isHere = endpoints?.some(
      ({ nodeName, conditions }) => nodeName === node && conditions?.ready !== false,
    );
    if (service && isHere) found.add(`${metadata.namespace}/${service}`);
  }
  return found;
}

function cidrsOf(
  field: (typeof serviceRanges)[number],
  settings: BgpSettings,
  complain: (sentence: string) => void,
): Cidr[] {
  return (settings[field] ?? []).flatMap(({ cidr: text = '' }, index) => {
    const cidr = tryParseCidr(text);
    if (!cidr) complain(`spec.${field}[${index}].cidr: "${text}" is not a CIDR; it is left out`);
    return cidr ? [cidr] : [];
  });
}

function isSingle({ family, length }: Cidr): boolean {
  return length === (family === 4 ? 32 : 128);
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
