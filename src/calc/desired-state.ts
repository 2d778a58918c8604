// What calc hands to the dataplane: everything that this node's kernel shall hold, as plain data.
// Selectors are gone; what is left of them are sets of members with an identifier.
import type { Cidr, Family, Range } from '../net/index.ts';
import type { Action, HostStage, IcmpMatch, PodPath } from '../policy/index.ts';

/** `address`: members are canonical addresses. `address,protocol,port`: "10.0.0.1,6,80", numbers as IANA has them. */
export type SetKind = 'address' | 'address,protocol,port';

/** A Set, or the keys of a Map. */
export interface Members {
  readonly size: number;
  has(member: string): boolean;
  keys(): Iterable<string>;
}

export interface AddressSet {
  readonly kind: SetKind;
  /** Both families mixed; a member with a colon is IPv6. */
  readonly members: Members;
  /** Whole networks that are in the set besides, as CIDRs; they may overlap. Only an `address` set has any. */
  readonly nets: Members;
}

export interface PeerProgram {
  readonly nets?: readonly Cidr[];
  /** The address is in none of these, and of the same family as one of them. */
  readonly notNets?: readonly Cidr[];
  /** The address is a member of this `address` set. */
  readonly set?: string;
  /** The address is not a member of this `address` set. */
  readonly notSet?: string;
  /** Sorted, disjoint. */
  readonly ports?: readonly Range<number>[];
  readonly notPorts?: readonly Range<number>[];
  /** Address, protocol and port are a member of this `address,protocol,port` set. */
  readonly portSet?: string;
  /** Address, protocol and port are a member of none of these. */
  readonly notPortSets?: readonly string[];
}

export interface RuleProgram {
  readonly action: Action;
  readonly family?: Family;
  readonly protocol?: number;
  readonly notProtocol?: number;
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
  readonly source?: PeerProgram;
  readonly destination?: PeerProgram;
  /** Where in the policy's object the rule stands. */
  readonly origin: string;
}

/** Rules that any number of endpoints share. */
export interface PolicyProgram {
  readonly ingress: readonly RuleProgram[];
  readonly egress: readonly RuleProgram[];
  /** Where a policy about host endpoints is asked, if not in its normal place: it shapes what its matches can see. */
  readonly stage?: HostStage;
  /** The tier that it stands in, for logs. */
  readonly tier?: string;
}

export interface TierPolicy {
  /** Key of the policy's program. */
  readonly key: string;
  /** It has a rule in this direction that passes, so that the rest of the tier may have to be skipped. */
  readonly passes: boolean;
}

export interface TierProgram {
  readonly name: string;
  /** The order in which they are asked; never empty. */
  readonly policies: readonly TierPolicy[];
  /** What follows when none of them decides. */
  readonly defaultAction: 'Deny' | 'Pass';
}

export interface EndpointProgram {
  /** Host's end of the pod's veth pair. */
  readonly interfaceName: string;
  readonly addresses: readonly string[];
  readonly ingress: readonly TierProgram[];
  readonly egress: readonly TierProgram[];
  /** What follows the last tier: the profiles' word. Deny while they are unknown. */
  readonly afterTiers: 'Allow' | 'Deny';
  /** What its pod asks for besides policy; absent when that is nothing. */
  readonly path?: PodPath;
}

/** The tiers that judge what comes in by an interface, and what goes out by it. */
export interface HostTiers {
  readonly ingress: readonly TierProgram[];
  readonly egress: readonly TierProgram[];
}

/** An interface of the node itself, or all of them that have no program of their own. */
export interface HostEndpointProgram {
  /** The object's name. */
  readonly endpoint: string;
  /** What the node receives and sends. */
  readonly normal: HostTiers;
  /** What it forwards; where there is no tier, that is allowed. */
  readonly forward: HostTiers;
  /** Packet by packet, before connection tracking; what is left undecided goes on. */
  readonly untracked: HostTiers;
  /** Before destinations are translated; what is left undecided goes on. */
  readonly preDNAT: readonly TierProgram[];
  /** What follows the last normal tier: the profiles' word. */
  readonly afterTiers: 'Allow' | 'Deny';
}

/** A remote node's end of the VXLAN overlay. */
export interface TunnelEndpoint {
  readonly family: Family;
  /** The node's address on the underlay. */
  readonly nodeAddress: string;
  /** The address of its tunnel device. */
  readonly tunnelAddress: string;
  readonly mac: string;
}

/** Where a block, or a single address, of pods lives. */
export type RouteProgram =
  | { readonly kind: 'vxlan'; readonly node: string }
  /** Straight to the node, which is on our own link. */
  | { readonly kind: 'direct'; readonly node: string; readonly nodeAddress: string }
  /** Our own block: what no local pod answers goes nowhere. */
  | { readonly kind: 'blackhole' };

/**
 * What of the cluster's network the table speaks of, whatever the policies: all pools, those whose pods' traffic to elsewhere
 * is translated, addresses of nodes, ranges in which services have their addresses.
 */
export type NetworkFact = 'pools' | 'masqueraded' | 'nodes' | 'services';

/** CIDRs and addresses, both families mixed. */
export type NetworkFacts = Readonly<Record<NetworkFact, ReadonlySet<string>>>;

export interface DesiredState {
  /** By set identifier. */
  readonly sets: ReadonlyMap<string, AddressSet>;
  /** By policy key. */
  readonly policies: ReadonlyMap<string, PolicyProgram>;
  /** By "namespace/pod". */
  readonly endpoints: ReadonlyMap<string, EndpointProgram>;
  /** By name of interface, or "*". */
  readonly hostEndpoints: ReadonlyMap<string, HostEndpointProgram>;
  /** By "node/family". */
  readonly tunnelEndpoints: ReadonlyMap<string, TunnelEndpoint>;
  /** By CIDR. */
  readonly routes: ReadonlyMap<string, RouteProgram>;
  readonly network: NetworkFacts;
}

export interface SetChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The set's networks are others than before, or gone with it; policies that ask it are among the changed ones. */
  readonly netsChanged: boolean;
}

/** What of the desired state differs from when changes were last taken. Names only, but for sets, which may be large. */
export interface Changes {
  /** A set that is new has all its members in `added`; one that is gone is not in the state any more. */
  readonly sets: ReadonlyMap<string, SetChange>;
  readonly policies: ReadonlySet<string>;
  readonly endpoints: ReadonlySet<string>;
  readonly hostEndpoints: ReadonlySet<string>;
  readonly tunnelEndpoints: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
  readonly network: ReadonlySet<NetworkFact>;
}
