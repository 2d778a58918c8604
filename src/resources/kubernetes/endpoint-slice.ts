// EndpointSlice: which addresses and ports stand behind a Service. Only the fields that policy reads.
import type { Resource, ResourceKind } from '../resource.ts';

/** The label that names the slice's Service, which lives in the slice's namespace. */
export const serviceNameLabel = 'kubernetes.io/service-name';

export interface EndpointSlice extends Resource {
  /** "IPv4", "IPv6" or "FQDN". */
  addressType: string;
  endpoints?: { addresses: string[] }[];
  /** A port without a number means every port of the endpoints. */
  ports?: { name?: string; protocol?: string; port?: number }[];
}

export const endpointSlices: ResourceKind<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
};
