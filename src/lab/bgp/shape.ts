// What a cluster of the lab looks like, as its command line says it: how many nodes, and how they know the ways to each other.
import type { RouterKind } from '../router/index.ts';

export interface ClusterShape {
  readonly nodes: number;
  /** BGP instead of an overlay; absent when the overlay is wanted. */
  readonly bgp?: BgpShape;
}

export interface BgpShape {
  /** How many nodes, the first ones, reflect routes to all others; 0 for a full mesh. */
  readonly reflectors: number;
  /** The router outside of the cluster that every node peers with; absent when there is none. */
  readonly router?: RouterKind;
}

/** As `calico-lab serve` takes it. */
export function shapeArguments({ nodes, bgp }: ClusterShape): string[] {
  return [
    ...['--nodes', String(nodes)],
    ...(bgp ? ['--bgp', '--reflectors', String(bgp.reflectors)] : []),
    ...(bgp?.router ? ['--tor', bgp.router] : []),
  ];
}
