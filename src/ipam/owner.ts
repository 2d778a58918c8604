// Whose a block is: a node's, or that of a virtual owner which draws addresses for the cluster, such as load balancers.

export interface BlockOwner {
  readonly type: 'host' | 'virtual';
  readonly name: string;
}

/** The owner of the blocks from which Services of type LoadBalancer get their addresses. */
export const loadBalancers: BlockOwner = { type: 'virtual', name: 'load-balancer' };

export function nodeOwner(node: string): BlockOwner {
  return { type: 'host', name: node };
}

/** What an IPAMBlock calls its owner: "host:node-1". */
export function affinityOf({ type, name }: BlockOwner): string {
  return `${type}:${name}`;
}

/** Undefined when the block is nobody's own. */
export function ownerOf(affinity: string | undefined): BlockOwner | undefined {
  const [, type, name] = /^(host|virtual):(.+)$/.exec(affinity ?? '') ?? [];
  return name === undefined ? undefined : { type: type === 'virtual' ? 'virtual' : 'host', name };
}
