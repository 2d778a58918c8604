// policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy, as the API server hands it out.
// Source: https://network-policy-api.sigs.k8s.io/reference/spec/
import type { Resource, ResourceKind } from '../resource.ts';
import type { LabelSelector } from './network-policy.ts';

export interface NamespacedPod {
  namespaceSelector?: LabelSelector;
  podSelector?: LabelSelector;
}

/** Exactly one is set. */
export interface ClusterNetworkPolicySubject {
  namespaces?: LabelSelector;
  pods?: NamespacedPod;
}

/** Exactly one is set; the last three on egress only. */
export interface ClusterNetworkPolicyPeer extends ClusterNetworkPolicySubject {
  nodes?: LabelSelector;
  /** CIDRs. */
  networks?: string[];
  domainNames?: string[];
}

interface DestinationPort {
  number?: number;
  range?: { start: number; end: number };
}

/** Exactly one is set. */
export interface ClusterNetworkPolicyProtocol {
  tcp?: { destinationPort?: DestinationPort };
  udp?: { destinationPort?: DestinationPort };
  sctp?: { destinationPort?: DestinationPort };
  destinationNamedPort?: string;
}

export interface ClusterNetworkPolicyRule {
  name?: string;
  action: 'Accept' | 'Deny' | 'Pass';
  from?: ClusterNetworkPolicyPeer[];
  to?: ClusterNetworkPolicyPeer[];
  /** Every protocol when absent. */
  protocols?: ClusterNetworkPolicyProtocol[];
}

export interface ClusterNetworkPolicy extends Resource {
  spec: {
    tier: 'Admin' | 'Baseline';
    priority: number;
    subject: ClusterNetworkPolicySubject;
    ingress?: ClusterNetworkPolicyRule[];
    egress?: ClusterNetworkPolicyRule[];
  };
}

export const clusterNetworkPolicies: ResourceKind<ClusterNetworkPolicy> = {
  group: 'policy.networking.k8s.io',
  version: 'v1alpha2',
  kind: 'ClusterNetworkPolicy',
  plural: 'clusternetworkpolicies',
  namespaced: false,
};
