// What one node's BIRD shall do, as data: whom it speaks with, what it takes and gives, which routes it makes itself.
// Everything in here is valid: what was not has become a fault, and is closed or left out.
import type { Family } from '../../net/index.ts';

export interface BgpModel {
  /** Dotted quad. */
  readonly routerId: string;
  readonly logSeverity: LogSeverity;
  /** Patterns of interfaces whose networks are no business of BGP's. */
  readonly ignoredInterfaces: readonly string[];
  /** One for each family in which the node has an address. */
  readonly families: readonly FamilyModel[];
  /** Sorted by name. */
  readonly peers: readonly Peer[];
  /** Those that peers use, by name. */
  readonly filters: readonly Filter[];
}

export type LogSeverity = 'Trace' | 'Debug' | 'Info' | 'Warning' | 'Error' | 'Fatal';

export interface FamilyModel {
  readonly family: Family;
  /** The node's own. */
  readonly address: string;
  /** Metric of routes in the kernel, where no filter says otherwise. */
  readonly priority: number;
  /** Blocks of this node: advertised as a whole, and closed behind the pods that are there. */
  readonly blocks: readonly OwnBlock[];
  readonly pools: readonly Pool[];
  readonly services: {
    /** Whatever lies in these is a service: told to peers, never written into the kernel. */
    readonly ranges: readonly string[];
    /** What this node tells of them itself: ranges as a whole, or single addresses. */
    readonly routes: readonly string[];
  };
  /** Ways to peers that are on no network of the node. */
  readonly gateways: readonly { readonly destination: string; readonly via: string }[];
  readonly communities: readonly { readonly cidr: string; readonly values: readonly string[] }[];
}

export interface OwnBlock {
  readonly cidr: string;
  readonly isExported: boolean;
}

export interface Pool {
  readonly cidr: string;
  readonly isExported: boolean;
  /** Whether BIRD writes its routes into the kernel; those of overlays are Felix' own. */
  readonly isProgrammed: boolean;
}

export type PeerKind = 'Mesh' | 'Node' | 'Global' | 'Local_Workload';

export interface Peer {
  /** Of the protocol in BIRD: "Mesh_10_0_0_2". */
  readonly name: string;
  readonly kind: PeerKind;
  /** Of the BGPPeer; absent in the mesh. */
  readonly resource?: string;
  readonly family: Family;
  readonly address: string;
  readonly port: number;
  readonly asNumber: number;
  readonly localAsNumber: number;
  readonly listenPort: number;
  /** Where sessions leave from; the kernel chooses when absent. */
  readonly sourceAddress?: string;
  /** Whether BIRD listens at the source address alone. */
  readonly isBound: boolean;
  /** Waits for the peer to connect. */
  readonly isPassive: boolean;
  readonly password?: string;
  /** Hops to the peer; packets from further away are dropped. */
  readonly ttlHops?: number;
  readonly nextHop: 'Auto' | 'Self' | 'Keep';
  readonly allowedLocalAs?: number;
  readonly keepaliveSeconds?: number;
  readonly restartSeconds: number;
  /** The peer is our client: we reflect routes to it. The id is absent when the node's own is to serve. */
  readonly reflection?: { readonly clusterId?: string };
  /** Names of filters, in order. "closed": one of them is missing or at fault, and nothing passes. */
  readonly filters: readonly string[] | 'closed';
}

export interface Filter {
  /** Of the BGPFilter. */
  readonly name: string;
  /** Rules per family and direction. */
  readonly import: Readonly<Record<Family, readonly FilterRule[]>>;
  readonly export: Readonly<Record<Family, readonly FilterRule[]>>;
}

/** A rule matches when all of its matches do; the first rule that matches decides. */
export interface FilterRule {
  readonly action: 'Accept' | 'Reject';
  readonly matches: readonly FilterMatch[];
  readonly operations: readonly FilterOperation[];
}

export type FilterMatch =
  | {
      readonly kind: 'net';
      readonly operator: 'Equal' | 'NotEqual' | 'In' | 'NotIn';
      readonly cidr: string;
      readonly minLength: number;
      readonly maxLength: number;
    }
  | { readonly kind: 'remote' }
  | { readonly kind: 'interface'; readonly pattern: string }
  | { readonly kind: 'peerType'; readonly type: 'eBGP' | 'iBGP' }
  | { readonly kind: 'community'; readonly value: string }
  | { readonly kind: 'pathPrefix'; readonly asNumbers: readonly number[] }
  | { readonly kind: 'priority'; readonly value: number };

export type FilterOperation =
  | { readonly kind: 'addCommunity'; readonly value: string }
  | { readonly kind: 'prependPath'; readonly asNumbers: readonly number[] }
  | { readonly kind: 'setPriority'; readonly value: number };

/** What is wrong with one object, and what became of it. */
export interface Fault {
  /** 'BGPPeer "rack-1"'. */
  readonly object: string;
  readonly sentence: string;
}
