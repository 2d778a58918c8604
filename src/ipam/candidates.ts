// The blocks that a node may draw from, in order: its own, then newly claimed ones, then those of others (borrowing).
// Only finds and claims blocks; it assigns nothing.
import { type Cidr, formatCidr, parseCidr } from '../net/index.ts';
import type { IPAMBlock, IPAMConfiguration, IPPool } from '../resources/index.ts';
import { blocksOf, fnv1 } from './block-search.ts';
import type { Blocks } from './blocks.ts';
import { hostAffinity } from './names.ts';
import { isBlockOf } from './pools.ts';

export interface Candidate {
  readonly cidr: Cidr;
  /** Whether the block must still be the node's own when an address is taken from it. */
  readonly isOwn: boolean;
}

/** What 0 blocks per host stands for, as Calico has it. */
const defaultMaxBlocksPerHost = 20;

/** Lazily, so that blocks are claimed only when the ones before did not suffice. `pools` are of one family. */
export async function* candidateBlocks(
  blocks: Blocks,
  node: string,
  pools: readonly IPPool[],
  rules: Partial<IPAMConfiguration['spec']>,
): AsyncGenerator<Candidate> {
  const affinities = (await blocks.affinitiesOf(node)).map(({ spec }) => ({
    ...spec,
    cidr: parseCidr(spec.cidr),
  }));
  for (const pool of pools) {
    for (const { cidr, state } of affinities) {
      if (!isBlockOf(pool, cidr)) continue;
      // What a crash left half claimed or half released is claimed anew; nobody else would ever use it.
      if (state === 'confirmed' || (await blocks.claim(node, cidr))) yield { cidr, isOwn: true };
    }
  }

  const family = pools[0] && parseCidr(pools[0].spec.cidr).family;
  let owned = affinities.filter(({ cidr }) => cidr.family === family).length;
  const maxOwned = rules.maxBlocksPerHost || defaultMaxBlocksPerHost;
  if (rules.autoAllocateBlocks !== false) {
    const taken = new Set((await blocks.list()).map(({ spec }) => spec.cidr));
    for (const pool of pools) {
      for (const cidr of blocksOf(pool, node)) {
        if (owned >= maxOwned) break;
        if (taken.has(formatCidr(cidr)) || !(await blocks.claim(node, cidr))) continue;
        owned++;
        yield { cidr, isOwn: true };
      }
    }
  }

  // Listed again: what could not be claimed was claimed by others meanwhile, perhaps by another process of this node.
  yield* blocksWithRoom(await blocks.list(), node, pools, rules.strictAffinity === true);
}

/** Blocks with free addresses, beginning at a different one for every node; with strict affinity the node's own only. */
function blocksWithRoom(
  existing: readonly IPAMBlock[],
  node: string,
  pools: readonly IPPool[],
  isStrict: boolean,
): Candidate[] {
  const found = existing
    .filter(({ spec }) => spec.unallocated.length > 0)
    // Virtual owners, such as load balancers, do not lend.
    .filter(({ spec }) => !spec.affinity?.startsWith('virtual:'))
    .map(({ spec }) => ({ cidr: parseCidr(spec.cidr), isOwn: spec.affinity === hostAffinity(node) }))
    .filter(({ cidr, isOwn }) => (isOwn || !isStrict) && pools.some((pool) => isBlockOf(pool, cidr)));
  const start = found.length > 0 ? fnv1(node) % found.length : 0;
  return [...found.slice(start), ...found.slice(0, start)];
}
