// The rule tree: what every kind of policy becomes, whoever wrote it. Tiers hold policies, policies hold rules,
// a rule holds a match. Plain data; compilers and readers of it live elsewhere.
import type { Cidr, Family, Range } from '../net/index.ts';
import type { Selector } from '../selector/index.ts';

export type Direction = 'ingress' | 'egress';

/** Allow and Deny are final; Pass skips the rest of the tier; Log goes on with the next rule. */
export type Action = 'Allow' | 'Deny' | 'Pass' | 'Log';

export type PolicyKind =
  | 'KubernetesNetworkPolicy'
  | 'KubernetesClusterNetworkPolicy'
  | 'NetworkPolicy'
  | 'GlobalNetworkPolicy';

/**
 * When a policy judges what passes a host endpoint, if not in its normal place: before destinations are translated, or
 * packet by packet before connection tracking. Such a policy says nothing about pods.
 */
export type HostStage = 'preDNAT' | 'untracked';

/** Which object a policy comes from. */
export interface PolicyId {
  readonly kind: PolicyKind;
  readonly namespace?: string;
  readonly name: string;
}

export interface Tier {
  readonly name: string;
  /** Ascending; a tier without order comes last. */
  readonly order: number | undefined;
  /** What befalls a packet that policies of the tier were asked about and none decided. */
  readonly defaultAction: 'Deny' | 'Pass';
  /** Policies name it, and nobody has defined it. */
  readonly isMissing?: true;
}

export interface Policy {
  readonly id: PolicyId;
  readonly tier: string;
  /** Ascending within the tier; a policy without order comes last. */
  readonly order: number | undefined;
  /** Over the labels of endpoints, among them those that they inherit from their namespace and service account. */
  readonly selector: Selector;
  /** A direction without rules, if present, denies by the end of its tier; an absent one does not apply. */
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
  readonly stage?: HostStage;
  /** It judges what a host endpoint forwards, too, and not only what the node itself sends and receives. */
  readonly forward?: true;
}

export interface Rule {
  readonly action: Action;
  readonly match: Match;
  /** Where in the object the rule stands: "spec.ingress[0].from[1]". */
  readonly origin: string;
}

/** Every condition that is present must hold; an empty match holds for every packet. */
export interface Match {
  readonly family?: Family;
  /** IANA number. */
  readonly protocol?: number;
  readonly notProtocol?: number;
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
  readonly source?: PeerMatch;
  readonly destination?: PeerMatch;
}

export interface IcmpMatch {
  readonly type: number;
  /** Every code of the type when absent. */
  readonly code?: number;
}

/** A Service of Kubernetes. What stands behind it, its EndpointSlices say. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** Every condition that is present must hold. */
export interface PeerMatch {
  /** The address is in one of these. */
  readonly nets?: readonly Cidr[];
  /** The address is in none of these, and of the same family as one of them. */
  readonly notNets?: readonly Cidr[];
  /** The address belongs to an endpoint with such labels. */
  readonly selector?: Selector;
  /** The address belongs to a node with such labels of its own. Never beside `selector`. */
  readonly nodes?: Selector;
  /**
   * The address is an endpoint's of this service. Of a destination, address, protocol and port are; of a source the port
   * means nothing. Never beside any other condition of the same end.
   */
  readonly service?: ServiceName;
  /** The address does not belong to an endpoint with such labels; it may belong to none. */
  readonly notSelector?: Selector;
  /** The port is in one of these ranges, which are sorted and disjoint. */
  readonly ports?: readonly Range<number>[];
  /** Address, protocol and port are those of a so named port of an endpoint. */
  readonly namedPort?: string;
  /** The port is in none of these ranges. */
  readonly notPorts?: readonly Range<number>[];
  /** Address, protocol and port are not those of any of these named ports. */
  readonly notNamedPorts?: readonly string[];
  /** IANA number: of which protocol those named ports are, where the match itself says none; of any when absent, too. */
  readonly namedPortProtocol?: number;
}

/** "KubernetesNetworkPolicy/test/deny-all": unique among all policies. */
export function policyKey(id: PolicyId): string {
  return `${id.kind}/${id.namespace ?? ''}/${id.name}`;
}

/** Where policies without a tier of their own stand; Kubernetes' among them. */
export const defaultTier: Tier = { name: 'default', order: 1_000_000, defaultAction: 'Deny' };

/** Tiers that are there even where no object says so: the default one, and those of ClusterNetworkPolicy. */
export const builtInTiers: readonly Tier[] = [
  defaultTier,
  { name: 'kube-admin', order: 1000, defaultAction: 'Pass' },
  { name: 'kube-baseline', order: 10_000_000, defaultAction: 'Pass' },
];

/** The order of Kubernetes network policies within the default tier. */
export const kubernetesPolicyOrder = 1000;
