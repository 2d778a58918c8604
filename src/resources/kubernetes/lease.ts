// Lease: who leads, of programs of which one at a time may act.
import type { Resource, ResourceKind } from '../resource.ts';

export interface Lease extends Resource {
  spec?: {
    /** Empty when nobody leads. */
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    /** RFC 3339 with microseconds, as Kubernetes' MicroTime. */
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export const leases: ResourceKind<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};
