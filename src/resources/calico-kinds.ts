// Every kind of `projectcalico.org/v3`, and how a person's word for one is understood.
import { bgpConfigurations } from './calico/bgp-configuration.ts';
import { bgpFilters } from './calico/bgp-filter.ts';
import { bgpPeers } from './calico/bgp-peer.ts';
import { blockAffinities } from './calico/block-affinity.ts';
import { calicoNodeStatuses } from './calico/calico-node-status.ts';
import { clusterInformations } from './calico/cluster-information.ts';
import { felixConfigurations } from './calico/felix-configuration/index.ts';
import { globalNetworkPolicies } from './calico/global-network-policy.ts';
import { globalNetworkSets } from './calico/global-network-set.ts';
import { hostEndpoints } from './calico/host-endpoint.ts';
import { ipPools } from './calico/ip-pool.ts';
import { ipReservations } from './calico/ip-reservation.ts';
import { ipamBlocks } from './calico/ipam-block.ts';
import { ipamConfigurations } from './calico/ipam-configuration.ts';
import { ipamHandles } from './calico/ipam-handle.ts';
import { kubeControllersConfigurations } from './calico/kube-controllers-configuration.ts';
import { networkPolicies } from './calico/network-policy.ts';
import { networkSets } from './calico/network-set.ts';
import { stagedGlobalNetworkPolicies } from './calico/staged-global-network-policy.ts';
import { stagedKubernetesNetworkPolicies } from './calico/staged-kubernetes-network-policy.ts';
import { stagedNetworkPolicies } from './calico/staged-network-policy.ts';
import { tiers } from './calico/tier.ts';
import type { ResourceKind } from './resource.ts';

/** In the order of their names. */
export const calicoKinds: readonly ResourceKind[] = [
  bgpConfigurations,
  bgpFilters,
  bgpPeers,
  blockAffinities,
  calicoNodeStatuses,
  clusterInformations,
  felixConfigurations,
  globalNetworkPolicies,
  globalNetworkSets,
  hostEndpoints,
  ipamBlocks,
  ipamConfigurations,
  ipamHandles,
  ipPools,
  ipReservations,
  kubeControllersConfigurations,
  networkPolicies,
  networkSets,
  stagedGlobalNetworkPolicies,
  stagedKubernetesNetworkPolicies,
  stagedNetworkPolicies,
  tiers,
];

/** Undefined when no kind has that name, plural, short name or alias, in whichever case. */
export function findKind(name: string): ResourceKind | undefined {
  return byName.get(name.toLowerCase());
}

const byName = new Map(
  calicoKinds.flatMap((kind) =>
    [kind.kind.toLowerCase(), kind.plural, ...(kind.shortNames ?? []), ...(kind.aliases ?? [])].map(
      (name) => [name, kind] as const,
    ),
  ),
);
