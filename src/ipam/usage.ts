// How full pools and blocks are. Pure.
import { type Cidr, cidrContains, cidrSize, cidrsOverlap, formatCidr, parseCidr } from '../net/index.ts';
import type { IPAMBlock, IPPool } from '../resources/index.ts';
import { addressOf } from './block.ts';
import { noReservations, type Reservations } from './reservations.ts';
import type { UnreadableBlock } from './unreadable-blocks.ts';

/** Counts of addresses. One that was assigned and then reserved counts as both. */
export interface Usage {
  readonly cidr: string;
  readonly total: bigint;
  /** Assigned, or cooling down after a release. */
  readonly inUse: bigint;
  readonly reserved: bigint;
  /** In blocks that cannot be read: nobody knows whether they are in use. */
  readonly unknown: bigint;
  /** Neither in use nor reserved, as far as anybody knows. */
  readonly available: bigint;
}

export interface PoolUsage extends Usage {
  readonly name: string;
  /** The claimed blocks within, in the order of their addresses. */
  readonly blocks: readonly BlockUsage[];
}

export interface BlockUsage extends Usage {
  /** "host:NODE"; undefined for a block that is nobody's. */
  readonly affinity: string | undefined;
}

/** In the order of the pools' names. */
export function usageOf(
  pools: readonly IPPool[],
  blocks: readonly IPAMBlock[],
  {
    reservations = noReservations,
    unreadable = [],
  }: { readonly reservations?: Reservations; readonly unreadable?: readonly UnreadableBlock[] } = {},
): PoolUsage[] {
  const parsed = blocks
    .map((block) => ({ block, cidr: parseCidr(block.spec.cidr) }))
    .sort((a, b) => (a.cidr.network < b.cidr.network ? -1 : 1));
  return pools
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ metadata, spec }) => {
      const range = parseCidr(spec.cidr);
      const own = parsed.filter(({ cidr }) =>
        cidrContains(range, { family: cidr.family, value: cidr.network }),
      );
      const usages = own.map(({ block, cidr }) => blockUsage(block, cidr, reservations));
      const inUse = usages.reduce((sum, usage) => sum + usage.inUse, 0n);
      const reserved = reservations.countWithin(range);
      const both = usages.reduce((sum, usage) => sum + usage.both, 0n);
      const hidden = hiddenRanges(range, own, unreadable);
      const unknown = hidden.reduce((sum, cidr) => sum + cidrSize(cidr), 0n);
      const hiddenReserved = hidden.reduce((sum, cidr) => sum + reservations.countWithin(cidr), 0n);
      return {
        name: metadata.name,
        cidr: spec.cidr,
        ...counts(cidrSize(range), { inUse, reserved, unknown, both: both + hiddenReserved }),
        blocks: usages.map(({ both: _both, ...usage }) => usage),
      };
    });
}

function blockUsage({ spec }: IPAMBlock, cidr: Cidr, reservations: Reservations) {
  const used = [...spec.allocations.keys()].filter((ordinal) => spec.allocations[ordinal] !== null);
  const both = BigInt(used.filter((ordinal) => reservations.has(addressOf(spec, ordinal))).length);
  const reserved = reservations.countWithin(cidr);
  return {
    cidr: formatCidr(cidr),
    ...counts(cidrSize(cidr), { inUse: BigInt(used.length), reserved, unknown: 0n, both }),
    both,
    affinity: spec.affinity,
  };
}

/** The ranges within a pool of blocks that cannot be read, each once, and without those of blocks that can. */
function hiddenRanges(
  pool: Cidr,
  own: readonly { readonly cidr: Cidr }[],
  unreadable: readonly UnreadableBlock[],
): Cidr[] {
  const hidden: Cidr[] = [];
  for (const range of unreadable.flatMap(({ ranges }) => ranges)) {
    const isWithin = cidrContains(pool, { family: range.family, value: range.network });
    const isTold = own.some(({ cidr }) => cidrsOverlap(cidr, range));
    if (isWithin && !isTold && !hidden.some((other) => cidrsOverlap(other, range))) hidden.push(range);
  }
  return hidden;
}

/** `both` are those that count twice: as reserved, and as in use or unknown. */
function counts(
  total: bigint,
  { inUse, reserved, unknown, both }: Readonly<Record<'inUse' | 'reserved' | 'unknown' | 'both', bigint>>,
) {
  return { total, inUse, reserved, unknown, available: total - inUse - reserved - unknown + both };
}
