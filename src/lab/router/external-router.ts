// A router that is not ours, as the lab and the tests use one: what it is told at its start, and what it can be asked.
import type { Family } from '../../net/index.ts';

export type RouterKind = 'frr' | 'gobgp';

export interface RouterNeighbor {
  readonly address: string;
  readonly asNumber: number;
  readonly password?: string;
}

export interface RouterOptions {
  /** Starts a process in the router's network namespace. */
  readonly spawn: <T>(start: () => T) => T;
  /** Its files lie in here; every user of the machine must be able to get into it. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly asNumber: number;
  readonly routerId: string;
  readonly neighbors: readonly RouterNeighbor[];
  /** What it tells of its own: CIDRs of either family. */
  readonly networks: readonly string[];
}

export interface RouterSession {
  readonly peer: string;
  readonly isEstablished: boolean;
}

export interface RouterRoute {
  readonly destination: string;
  readonly nextHops: readonly string[];
  readonly path: readonly number[];
  /** Standard "65000:1" and large "1:2:3". */
  readonly communities: readonly string[];
}

export interface ExternalRouter {
  readonly kind: RouterKind;
  sessions(): Promise<RouterSession[]>;
  /** What peers have told and it believes, one for each path. */
  routes(family: Family): Promise<RouterRoute[]>;
  stop(): Promise<void>;
}
