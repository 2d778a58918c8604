// EndpointSlice: which addresses and ports stand behind a Service; a Service may have any number of slices. Only the fields
// that policy and BGP read.
import type { Resource, ResourceKind } from '../resource.ts';

/** The label that names the slice's Service, which lives in the slice's namespace. */
export const serviceNameLabel = 'kubernetes.io/service-name';

export interface EndpointSlice extends Resource {
  /** "IPv4", "IPv6" or "FQDN". */
  addressType: string;
  /** The API server says null where there are none, here and of ports. */
  endpoints?:
    | {
        addresses: string[];
        /** What is absent is unknown, and to be taken as ready. */
        conditions?: { ready?: boolean };
        nodeName?: string;
      }[]
    | null;
  /** A port without a number means every port of the endpoints. */
  ports?: { name?: string; protocol?: string; port?: number }[] | null;
}

export const endpointSlices: ResourceKind<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
};
