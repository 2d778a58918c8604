// Everything that decides what one node's BIRD does: the objects as they are stored.
import type {
  BGPConfiguration,
  BGPFilter,
  BGPPeer,
  BlockAffinity,
  EndpointSlice,
  IPPool,
  Node,
  Pod,
  Secret,
  Service,
} from '../../resources/index.ts';

export interface BgpInput {
  /** The node that all this is for. */
  readonly node: string;
  /** Of calico-node: where Secrets are looked for. */
  readonly namespace: string;
  readonly nodes: Iterable<Node>;
  readonly configurations: Iterable<BGPConfiguration>;
  readonly peers: Iterable<BGPPeer>;
  readonly filters: Iterable<BGPFilter>;
  readonly pools: Iterable<IPPool>;
  /** This node's; others are passed over. */
  readonly affinities: Iterable<BlockAffinity>;
  readonly services: Iterable<Service>;
  readonly endpointSlices: Iterable<EndpointSlice>;
  readonly secrets: Iterable<Secret>;
  /** This node's; others are passed over. */
  readonly pods: Iterable<Pod>;
  /** What the store holds besides, and nobody can read. */
  readonly misfits?: Iterable<Misfit>;
}

/** An object that is not what its kind is. */
export interface Misfit {
  readonly kind: string;
  /** "namespace/name" or "name". */
  readonly key: string;
  /** 'spec.cidr is required'. */
  readonly fault: string;
}
