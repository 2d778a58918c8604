// Finds blocks from which an owner may draw: its own that are known, its own that must be read, newly claimed ones, ones taken
// over from owners that leave them empty, and at last those of others (borrowing). Finds, claims and promises; assigns nothing.
import { type Cidr, cidrsOverlap, formatCidr, parseCidr } from '../net/index.ts';
import type { IPAMBlock, IPAMConfiguration, IPPool } from '../resources/index.ts';
import { isEmpty } from './block.ts';
import { blocksOf, fnv1 } from './block-search.ts';
import type { BlockWriter } from './block-writer.ts';
import type { Blocks, Thaw } from './blocks.ts';
import { BlockNotEmptyError } from './errors.ts';
import { orUnreadable } from './or-unreadable.ts';
import { affinityOf, type BlockOwner, ownerOf } from './owner.ts';
import { isBlockOf } from './pools.ts';
import type { Reservations } from './reservations.ts';
import { type UnreadableBlock, unreadableWithin } from './unreadable-blocks.ts';

/** Addresses of a block that the writer has promised to the one who asked. */
export interface Room {
  readonly cidr: Cidr;
  readonly count: number;
  /** Whether the block must still be the owner's when the addresses are taken from it. */
  readonly isOwn: boolean;
}

/** What is asked for, and by which rules. */
export interface RoomRequest {
  readonly owner: BlockOwner;
  /** In the order in which they are to be tried; of one family. */
  readonly pools: readonly IPPool[];
  readonly count: number;
  readonly reservations: Reservations;
  readonly thaw: Thaw;
}

export type BlockRules = Partial<
  Pick<IPAMConfiguration['spec'], 'strictAffinity' | 'autoAllocateBlocks' | 'maxBlocksPerHost'>
>;

/** What 0 blocks per host stands for, as Calico has it. */
const defaultMaxBlocksPerHost = 20;

/** A block that stays empty for so long after it was claimed is another's for the taking, as Calico has it. */
const reclaimAfterMs = 60_000;

export class RoomFinder {
  readonly #blocks: Blocks;
  readonly #writer: BlockWriter;
  readonly #now: () => Date;

  constructor(blocks: Blocks, writer: BlockWriter, now: () => Date) {
    this.#blocks = blocks;
    this.#writer = writer;
    this.#now = now;
  }

  /** Room in a block that is known to be the owner's, without asking the store. Undefined when none is known. */
  inKnown(request: RoomRequest): Room | undefined {
    const own = affinityOf(request.owner);
    const known = [...this.#writer.known()].filter(({ spec }) => spec.affinity === own);
    for (const pool of request.pools) {
      for (const block of known) {
        const room = isBlockOf(pool, parseCidr(block.spec.cidr)) && this.#promise(block, request, true);
        if (room) return room;
      }
    }
    return undefined;
  }

  /** Room by whatever the rules allow; undefined when there is none. At most one per owner and family may look at a time. */
  async find(request: RoomRequest, rules: BlockRules): Promise<Room | undefined> {
    const known = this.inKnown(request);
    if (known) return known;
    const { owner, pools } = request;
    const affinities = (await this.#blocks.affinitiesOf(owner)).map(({ spec }) => ({
      ...spec,
      cidr: parseCidr(spec.cidr),
    }));
    for (const pool of pools) {
      for (const { cidr, state } of affinities) {
        if (!isBlockOf(pool, cidr)) continue;
        const found = state === 'confirmed' ? await orUnreadable(this.#blocks.find(cidr)) : undefined;
        // It gives nobody an address, and keeps no other block from it.
        if (found === 'unreadable') continue;
        // What a crash left half claimed or half released is claimed anew; nobody else would ever use it.
        const isOurs = found?.spec.affinity === affinityOf(owner);
        const block = isOurs ? found : await this.#blocks.claim(owner, cidr);
        const room = block && this.#promiseOwn(block, request);
        if (room) return room;
      }
    }
    const { blocks: existing, unreadable } = await this.#blocks.survey();
    // Blocks of pools that are not for this request take nobody's place, be these disabled by now or other namespaces'.
    const owned = affinities.filter(({ cidr }) => pools.some((pool) => isBlockOf(pool, cidr))).length;
    if (rules.autoAllocateBlocks !== false && owned < (rules.maxBlocksPerHost || defaultMaxBlocksPerHost)) {
      const claimed =
        (await this.#claimNew(request, existing, unreadable)) ?? (await this.#reclaim(request, existing));
      if (claimed) return claimed;
    }
    // Listed again: what could not be claimed was claimed by others meanwhile, perhaps by another process of this node.
    return this.#inOthers(request, await this.#blocks.list(), rules.strictAffinity === true);
  }

  async #claimNew(
    request: RoomRequest,
    existing: readonly IPAMBlock[],
    unreadable: readonly UnreadableBlock[],
  ): Promise<Room | undefined> {
    const ranges = existing.map(({ spec }) => parseCidr(spec.cidr));
    for (const pool of request.pools) {
      const taken = new Set(existing.map(({ spec }) => spec.cidr));
      for (const cidr of blocksOf(pool, request.owner.name, request.reservations, this.#now())) {
        if (taken.has(formatCidr(cidr))) continue;
        // Blocks of another size: of a pool that was here before, or of one that overlaps. An address must lie in one block only.
        if (ranges.some((range) => range.length !== cidr.length && cidrsOverlap(range, cidr))) continue;
        if (unreadableWithin(unreadable, cidr)) continue;
        const block = await this.#blocks.claim(request.owner, cidr);
        const room = block && this.#promiseOwn(block, request);
        if (room) return room;
      }
    }
    return undefined;
  }

  async #reclaim(request: RoomRequest, existing: readonly IPAMBlock[]): Promise<Room | undefined> {
    for (const block of existing) {
      const cidr = parseCidr(block.spec.cidr);
      const previous = ownerOf(block.spec.affinity);
      if (previous?.type !== 'host' || previous.name === request.owner.name) continue;
      if (!request.pools.some((pool) => isBlockOf(pool, cidr))) continue;
      if (!isEmpty(request.thaw(block.spec)) || !this.#isAbandoned(block)) continue;
      try {
        await this.#blocks.release(previous, cidr, { mustBeEmpty: true, thaw: request.thaw });
      } catch (error) {
        // Its owner has put an address into it meanwhile, and keeps it.
        if (error instanceof BlockNotEmptyError) continue;
        throw error;
      }
      const claimed = await this.#blocks.claim(request.owner, cidr);
      const room = claimed && this.#promiseOwn(claimed, request);
      if (room) return room;
    }
    return undefined;
  }

  #isAbandoned({ spec }: IPAMBlock): boolean {
    const since = Date.parse(spec.affinityClaimTime ?? '');
    return Number.isNaN(since) || this.#now().getTime() - since >= reclaimAfterMs;
  }

  /** Beginning at a different block for every node; with strict affinity the owner's own only. */
  #inOthers(request: RoomRequest, existing: readonly IPAMBlock[], isStrict: boolean): Room | undefined {
    const own = affinityOf(request.owner);
    const found = existing
      // Virtual owners neither lend nor borrow.
      .filter(({ spec }) => spec.affinity === own || ownerOf(spec.affinity)?.type !== 'virtual')
      .filter(({ spec }) => spec.affinity === own || !(isStrict || request.owner.type === 'virtual'))
      .filter(({ spec }) => request.pools.some((pool) => isBlockOf(pool, parseCidr(spec.cidr))));
    const start = found.length > 0 ? fnv1(request.owner.name) % found.length : 0;
    for (const block of [...found.slice(start), ...found.slice(0, start)]) {
      this.#writer.learn(block);
      const room = this.#promise(block, request, block.spec.affinity === own);
      if (room) return room;
    }
    return undefined;
  }

  #promiseOwn(block: IPAMBlock, request: RoomRequest): Room | undefined {
    this.#writer.learn(block);
    return this.#promise(block, request, true);
  }

  #promise({ spec }: IPAMBlock, request: RoomRequest, isOwn: boolean): Room | undefined {
    const cidr = parseCidr(spec.cidr);
    const isReserved = request.reservations.ofBlock(spec);
    const free = request.thaw(spec).unallocated.filter((ordinal) => !isReserved(ordinal)).length;
    const count = Math.min(request.count, free - this.#writer.promised(cidr));
    if (count <= 0) return undefined;
    this.#writer.promise(cidr, count);
    return { cidr, count, isOwn };
  }
}
