// The figures of a cluster's address management that are served as metrics, under Calico's names. Pure.
import { allocationsOf, type IpamSnapshot, ownerOf, reservationsFrom, usageOf } from '../../ipam/index.ts';
import { cidrContains, cidrSize, parseCidr } from '../../net/index.ts';
import type { IPAMBlock, IPReservation } from '../../resources/index.ts';

/** A value for each combination of its labels' values. */
export interface Figures {
  /** By pool ("no_ippool" outside of all) and node ("no_affinity" for a block that is nobody's). */
  readonly byPoolAndNode: ReadonlyMap<string, NodeFigures>;
  readonly byPool: ReadonlyMap<string, { readonly size: number; readonly reserved: number }>;
}

export interface NodeFigures {
  readonly pool: string;
  readonly node: string;
  blocks: number;
  inUse: number;
  /** In use by another node than the block's own. */
  borrowed: number;
}

export function ipamFigures(
  { pools, blocks }: Pick<IpamSnapshot, 'pools' | 'blocks'>,
  reservations: readonly IPReservation[],
): Figures {
  const ranges = pools.map(({ metadata, spec }) => ({ name: metadata.name, range: parseCidr(spec.cidr) }));
  const poolOf = (block: IPAMBlock) => {
    const { family, network } = parseCidr(block.spec.cidr);
    return ranges.find(({ range }) => cidrContains(range, { family, value: network }))?.name ?? 'no_ippool';
  };
  const figures = new Map<string, NodeFigures>();
  const at = (pool: string, node: string): NodeFigures => {
    const key = `${pool} ${node}`;
    const found = figures.get(key) ?? { pool, node, blocks: 0, inUse: 0, borrowed: 0 };
    figures.set(key, found);
    return found;
  };
  for (const block of blocks) {
    const pool = poolOf(block);
    const owner = ownerOf(block.spec.affinity)?.name ?? 'no_affinity';
    at(pool, owner).blocks++;
    for (const { attributes } of allocationsOf(block)) {
      const user = attributes.node ?? owner;
      at(pool, user).inUse++;
      if (user !== owner) at(pool, user).borrowed++;
    }
  }
  const usages = usageOf(pools, blocks, { reservations: reservationsFrom(reservations) });
  const byPool = new Map(
    usages.map(({ name, cidr, reserved }) => [
      name,
      { size: Number(cidrSize(parseCidr(cidr))), reserved: Number(reserved) },
    ]),
  );
  return { byPoolAndNode: figures, byPool };
}
