// What the evaluator is asked, and what it answers.
import type {
  ClusterNetworkPolicy,
  EndpointSlice,
  FelixConfiguration,
  GlobalNetworkPolicy,
  GlobalNetworkSet,
  HostEndpoint,
  KubernetesNetworkPolicy,
  Namespace,
  NetworkPolicy,
  NetworkSet,
  Node,
  Pod,
  ServiceAccount,
  StagedGlobalNetworkPolicy,
  StagedKubernetesNetworkPolicy,
  StagedNetworkPolicy,
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
  readonly hostEndpoints?: readonly HostEndpoint[];
  readonly networkSets?: readonly (NetworkSet | GlobalNetworkSet)[];
  readonly endpointSlices?: readonly EndpointSlice[];
  /** The one named "default", which says what nodes make of their own pods and of failsafe ports. */
  readonly felixConfiguration?: FelixConfiguration;
  /** Drafts: they decide nothing. */
  readonly stagedPolicies?: readonly (
    | StagedNetworkPolicy
    | StagedGlobalNetworkPolicy
    | StagedKubernetesNetworkPolicy
  )[];
}

/** A node that a packet comes to on its way, and by which of its interfaces. Host endpoints judge what crosses them. */
export interface Crossing {
  /** Name of the node. */
  readonly node: string;
  /** Absent when the node itself sends the packet. */
  readonly in?: string;
  /** Absent when the node itself receives it. */
  readonly out?: string;
  /** Addresses of those interfaces, by which host endpoints without a name are found. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  /** Where the packet was sent before this node translated its destination. */
  readonly meant?: { readonly destination: string; readonly destinationPort: number };
  /** Under which source it comes here, when a node before this one has translated that; whoever receives it sees this one, too. */
  readonly source?: string;
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
  /** In the packet's order; where they are not told, host endpoints are not asked. */
  readonly crossings?: readonly Crossing[];
}

export interface Verdict {
  readonly action: 'Allow' | 'Deny';
  /** One sentence per direction that was judged, the sender's first. */
  readonly reasons: readonly string[];
  /** What would be if the staged policies were in force; absent where there are none. */
  readonly pending?: Verdict;
}

export type Side = 'ingress' | 'egress';
