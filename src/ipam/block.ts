// The arithmetic of one block: which ordinals are taken, by whom, and which comes next. Pure; a change is a new spec.
// Every ordinal is either free, and then stands once in `unallocated`, or taken or cooling down, and then names an attribute;
// cooldown.ts tells when what cools down is free again.
import { isDeepStrictEqual } from 'node:util';
import { type Address, addressAt, type Cidr, cidrSize, formatCidr, parseCidr } from '../net/index.ts';
import type { AllocationAttribute, IPAMBlock } from '../resources/index.ts';

export type BlockSpec = IPAMBlock['spec'];

/** Whom an address is assigned to. */
export interface AddressOwner {
  readonly handleId: string;
  /** Facts for people and for garbage collection: pod, namespace, node, type, ... */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A block with every address free. `affinity` is "host:NODE" or "virtual:NAME". */
export function emptyBlock(cidr: Cidr, affinity: string, now: Date): BlockSpec {
  const size = Number(cidrSize(cidr));
  return {
    cidr: formatCidr(cidr),
    affinity,
    affinityClaimTime: now.toISOString().replace(/\.\d+Z$/, 'Z'),
    strictAffinity: false,
    allocations: new Array<null>(size).fill(null),
    unallocated: Array.from({ length: size }, (_, ordinal) => ordinal),
    attributes: [],
    // Calico starts at nanoseconds, which a double cannot count by one. Microseconds serve the same end, that a block made
    // anew under an old name does not repeat numbers, and whoever reads them compares them for nothing but being the same.
    // Exact nanoseconds would need a JSON of our own on every path that an object takes, for no behaviour.
    sequenceNumber: now.getTime() * 1000,
    sequenceNumberForAllocation: {},
    deleted: false,
  };
}

/** Takes up to `count` free addresses that are not reserved, those that were freed longest ago first. */
export function assign(
  spec: BlockSpec,
  count: number,
  owner: AddressOwner,
  isReserved: (ordinal: number) => boolean = () => false,
): { spec: BlockSpec; ordinals: number[] } {
  const ordinals = spec.unallocated.filter((ordinal) => !isReserved(ordinal)).slice(0, count);
  return { spec: take(spec, ordinals, owner), ordinals };
}

/** Takes this very address. Returns undefined when it is not free. */
export function assignOrdinal(spec: BlockSpec, ordinal: number, owner: AddressOwner): BlockSpec | undefined {
  return spec.unallocated.includes(ordinal) ? take(spec, [ordinal], owner) : undefined;
}

/**
 * Frees addresses; those that are free already, or cool down, stay as they are. With `releasedAt` they cool down from then on
 * instead of being free at once.
 */
export function release(spec: BlockSpec, ordinals: readonly number[], releasedAt?: Date): BlockSpec {
  const held = ordinals.filter(
    (ordinal) => typeof spec.allocations[ordinal] === 'number' && !isCooling(spec, ordinal),
  );
  return vacate(spec, held, releasedAt);
}

/** Makes taken or cooling ordinals free, or with `releasedAt` cool down. */
export function vacate(spec: BlockSpec, ordinals: readonly number[], releasedAt?: Date): BlockSpec {
  const vacated = [...new Set(ordinals)];
  if (vacated.length === 0) return spec;
  const allocations = [...spec.allocations];
  const attributes = [...spec.attributes];
  const sequenceNumberForAllocation = { ...spec.sequenceNumberForAllocation };
  const resting = releasedAt ? attributes.push({ releasedAt: releasedAt.toISOString() }) - 1 : null;
  for (const ordinal of vacated) {
    allocations[ordinal] = resting;
    delete sequenceNumberForAllocation[ordinal];
  }
  return {
    ...spec,
    ...withoutUnused(allocations, attributes),
    unallocated: releasedAt ? spec.unallocated : [...spec.unallocated, ...vacated],
    sequenceNumber: nextSequence(spec),
    sequenceNumberForAllocation,
  };
}

/** The taken ordinals of a handle. */
export function ordinalsOf(spec: BlockSpec, handleId: string): number[] {
  const found: number[] = [];
  for (const [ordinal, index] of spec.allocations.entries()) {
    if (index !== null && spec.attributes[index]?.handle_id === handleId) found.push(ordinal);
  }
  return found;
}

/** Who holds an ordinal; undefined when it is free or cools down. */
export function holderOf(spec: BlockSpec, ordinal: number): AllocationAttribute | undefined {
  const attribute = attributeOf(spec, ordinal);
  return attribute?.releasedAt === undefined ? attribute : undefined;
}

/** Whether an ordinal was released a while ago, and is not to be handed out yet. */
export function isCooling(spec: BlockSpec, ordinal: number): boolean {
  return attributeOf(spec, ordinal)?.releasedAt !== undefined;
}

export function attributeOf(spec: BlockSpec, ordinal: number): AllocationAttribute | undefined {
  const index = spec.allocations[ordinal];
  return typeof index === 'number' ? spec.attributes[index] : undefined;
}

/** Whether nothing is taken and nothing cools down. */
export function isEmpty(spec: BlockSpec): boolean {
  return spec.allocations.every((index) => index === null);
}

/**
 * With every free ordinal once in `unallocated`: one that a faulty writer left out would never be given again, and one that
 * stands there twice would be given twice. The same spec where nothing is wrong.
 */
export function withWholeFreeList(spec: BlockSpec): BlockSpec {
  const free = new Set(spec.unallocated);
  const isWhole = free.size === spec.unallocated.length;
  for (const [ordinal, index] of spec.allocations.entries()) if (index === null) free.add(ordinal);
  return isWhole && free.size === spec.unallocated.length ? spec : { ...spec, unallocated: [...free] };
}

export function addressOf(spec: BlockSpec, ordinal: number): Address {
  return addressAt(parseCidr(spec.cidr), BigInt(ordinal));
}

/** The block as a stranger's: nobody's own, to be used up or emptied. */
export function withoutAffinity(spec: BlockSpec): BlockSpec {
  const { affinity: _affinity, affinityClaimTime: _since, ...rest } = spec;
  return { ...rest, sequenceNumber: nextSequence(spec) };
}

function take(spec: BlockSpec, ordinals: readonly number[], owner: AddressOwner): BlockSpec {
  if (ordinals.length === 0) return spec;
  const wanted: AllocationAttribute = { handle_id: owner.handleId, secondary: { ...owner.attributes } };
  const known = spec.attributes.findIndex(
    // The handle alone tells nearly all of them apart, and that quickly.
    (attribute) => attribute.handle_id === owner.handleId && isDeepStrictEqual(attribute, wanted),
  );
  const index = known >= 0 ? known : spec.attributes.length;
  const sequenceNumber = nextSequence(spec);
  const taken = new Set(ordinals);
  return {
    ...spec,
    attributes: known >= 0 ? spec.attributes : [...spec.attributes, wanted],
    allocations: spec.allocations.map((held, ordinal) => (taken.has(ordinal) ? index : held)),
    unallocated: spec.unallocated.filter((ordinal) => !taken.has(ordinal)),
    sequenceNumber,
    sequenceNumberForAllocation: {
      ...spec.sequenceNumberForAllocation,
      ...Object.fromEntries(ordinals.map((ordinal) => [ordinal, sequenceNumber])),
    },
  };
}

/** Drops attributes that no ordinal names any more, and renumbers the rest. */
function withoutUnused(
  allocations: readonly (number | null)[],
  attributes: readonly AllocationAttribute[],
): Pick<BlockSpec, 'allocations' | 'attributes'> {
  const used = new Set(allocations);
  const renumbered = new Map<number, number>();
  const kept = attributes.filter((_, index) => {
    if (!used.has(index)) return false;
    renumbered.set(index, renumbered.size);
    return true;
  });
  return {
    attributes: kept,
    allocations: allocations.map((index) => (index === null ? null : (renumbered.get(index) ?? null))),
  };
}

/** The next greater number. Blocks made by Calico count nanoseconds, where doubles are 256 apart. */
function nextSequence({ sequenceNumber = 0 }: BlockSpec): number {
  const next = sequenceNumber + 1;
  return next > sequenceNumber ? next : sequenceNumber + 256;
}
