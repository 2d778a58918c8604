// The order in which a node looks through a pool for a block: from a place of its own, so that nodes seldom collide.
import { bitsOf, type Cidr, cidrSize, parseCidr } from '../net/index.ts';
import { blockSizeOf, type IPPool } from '../resources/index.ts';
import type { Reservations } from './reservations.ts';

/** Every block of a pool that is not reserved as a whole, once, beginning at the node's own place and going round. */
export function* blocksOf(
  pool: IPPool,
  node: string,
  reservations: Reservations,
  now: Date,
): Generator<Cidr> {
  const range = parseCidr(pool.spec.cidr);
  const length = blockSizeOf(pool.spec);
  const blockSize = 1n << BigInt(bitsOf(range.family) - length);
  const count = cidrSize(range) / blockSize;
  // A block of one address is no place to come back to: such pools are searched from anywhere.
  const start = spread(blockSize === 1n ? now.getTime() >>> 0 : fnv1(node)) % count;
  for (let step = 0n; step < count; step++) {
    const index = (start + step) % count;
    const block = { family: range.family, network: range.network + index * blockSize, length };
    const reservedTo = reservations.endOfRangeAround(block);
    if (reservedTo === undefined) yield block;
    else {
      // In one leap, for an IPv6 pool may have more reserved blocks than could ever be looked at.
      const leap = (reservedTo + 1n - block.network) / blockSize;
      const toEnd = count - index;
      step += (leap < toEnd ? leap : toEnd) - 1n;
    }
  }
}

/** FNV-1, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
export function fnv1(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash, 0x01000193) ^ byte;
  return hash >>> 0;
}

/** 128 well-mixed bits of a 32-bit seed (SplitMix64, twice), so that large IPv6 pools are used all over. */
function spread(seed: number): bigint {
  const mask = (1n << 64n) - 1n;
  let state = BigInt(seed);
  const next = () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask;
    return mixed ^ (mixed >> 31n);
  };
  return (next() << 64n) | next();
}
