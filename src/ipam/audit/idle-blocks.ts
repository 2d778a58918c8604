// Blocks that serve nobody: empty ones of nodes that have another, of no pool, or of nobody. Pure; it releases nothing.
import { cidrContains, parseCidr } from '../../net/index.ts';
import type { IPAMBlock } from '../../resources/index.ts';
import { isEmpty } from '../block.ts';
import type { Thaw } from '../blocks.ts';
import { ownerOf } from '../owner.ts';
import type { IpamSnapshot } from './snapshot.ts';

export interface IdleBlock {
  readonly block: string;
  /** Undefined when it is nobody's own. */
  readonly node: string | undefined;
  /** Of the block as it was seen. */
  readonly resourceVersion: string;
}

/** `thaw` frees what has cooled down: such an address keeps no block. A node keeps one block of each family, idle or not. */
export function idleBlocks({ blocks, pools, nodes }: IpamSnapshot, thaw: Thaw): IdleBlock[] {
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  const ranges = pools.map(({ spec }) => parseCidr(spec.cidr));
  const isOutside = ({ spec }: IPAMBlock) => {
    const { family, network } = parseCidr(spec.cidr);
    return !ranges.some((range) => cidrContains(range, { family, value: network }));
  };
  const idle = (block: IPAMBlock, node: string | undefined): IdleBlock => ({
    block: block.spec.cidr,
    node,
    resourceVersion: block.metadata.resourceVersion ?? '',
  });
  const found: IdleBlock[] = [];
  const byNode = new Map<string, IPAMBlock[]>();
  for (const block of blocks) {
    const owner = ownerOf(block.spec.affinity);
    const isIdle = isEmpty(thaw(block.spec));
    if (owner === undefined) {
      if (isIdle) found.push(idle(block, undefined));
    } else if (owner.type === 'host' && known.has(owner.name)) {
      if (isIdle && isOutside(block)) {
        found.push(idle(block, owner.name));
        continue;
      }
      const key = `${owner.name} ${parseCidr(block.spec.cidr).family}`;
      byNode.set(key, [...(byNode.get(key) ?? []), block]);
    }
  }
  for (const [key, own] of byNode) {
    const spare = own.filter(({ spec }) => isEmpty(thaw(spec)));
    const kept = spare.length === own.length ? 1 : 0;
    for (const block of spare.slice(kept)) found.push(idle(block, key.split(' ')[0]));
  }
  return found;
}
