// What the evaluator is asked, and what it answers.
import type {
  ClusterNetworkPolicy,
  GlobalNetworkPolicy,
  GlobalNetworkSet,
  KubernetesNetworkPolicy,
  Namespace,
  NetworkPolicy,
  NetworkSet,
  Node,
  Pod,
  ServiceAccount,
  Tier,
} from '../../resources/index.ts';

/** The objects that have a say; a kind that is absent has none. */
export interface Cluster {
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly networkPolicies: readonly KubernetesNetworkPolicy[];
  readonly serviceAccounts?: readonly ServiceAccount[];
  readonly nodes?: readonly Node[];
  readonly tiers?: readonly Tier[];
  readonly calicoPolicies?: readonly NetworkPolicy[];
  readonly globalPolicies?: readonly GlobalNetworkPolicy[];
  readonly clusterPolicies?: readonly ClusterNetworkPolicy[];
  readonly networkSets?: readonly (NetworkSet | GlobalNetworkSet)[];
}

/** The first packet of a connection, as the pods see it (after service translation). */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'UDPLite' | 'ICMP' | 'ICMPv6';
  /** Absent for ICMP. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Of ICMP alone. */
  readonly icmp?: { readonly type: number; readonly code: number };
}

export interface Verdict {
  readonly action: 'Allow' | 'Deny';
  /** One sentence per direction that was judged, the sender's first. */
  readonly reasons: readonly string[];
}

export type Side = 'ingress' | 'egress';
