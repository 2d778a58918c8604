// Blocks and nodes' claims on them, as stored objects. A claim has two phases, so that a crash at any point leaves something
// that the next attempt can finish: the affinity is "pending", then the block is made, then the affinity is "confirmed".
import {
  AlreadyExistsError,
  ConflictError,
  type Datastore,
  ifThere,
  ifUnchanged,
} from '../datastore/index.ts';
import { type Cidr, formatCidr } from '../net/index.ts';
import {
  apiVersionOf,
  type BlockAffinity,
  blockAffinities,
  blockName,
  type IPAMBlock,
  ipamBlocks,
  type Resource,
  type ResourceKind,
} from '../resources/index.ts';
import { type BlockSpec, emptyBlock, isEmpty, withoutAffinity } from './block.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { BlockNotEmptyError } from './errors.ts';
import { affinityLabels, affinityName, affinitySelector } from './names.ts';
import { orUnreadable } from './or-unreadable.ts';
import { affinityOf, type BlockOwner } from './owner.ts';
import { type UnreadableBlock, unreadableBlock } from './unreadable-blocks.ts';

/** Frees what has cooled down in a block: an address that nobody would be denied any more does not count as one. */
export type Thaw = (spec: BlockSpec) => BlockSpec;

export class Blocks {
  readonly #datastore: Datastore;
  readonly #now: () => Date;

  constructor(datastore: Datastore, now: () => Date) {
    this.#datastore = datastore;
    this.#now = now;
  }

  /** Without those that are about to go, and those that cannot be read. */
  async list(): Promise<IPAMBlock[]> {
    return (await this.survey()).blocks;
  }

  /** What `list` returns, and what stands there besides. */
  async survey(): Promise<{ blocks: IPAMBlock[]; unreadable: UnreadableBlock[] }> {
    const unreadable: UnreadableBlock[] = [];
    const blocks = await this.#datastore.list(ipamBlocks, {}, (object, fault) =>
      unreadable.push(unreadableBlock(object, fault)),
    );
    return { blocks: blocks.filter((block) => !isGoing(block)), unreadable };
  }

  /** Undefined when there is no such block. One that is about to go is helped on its way: whoever began may have died. */
  async find(cidr: Cidr): Promise<IPAMBlock | undefined> {
    const block = await this.#find(ipamBlocks, blockName(cidr));
    if (!block || !isGoing(block)) return block;
    await ifUnchanged(() => this.#delete(ipamBlocks, block));
    return undefined;
  }

  /**
   * Writes a block back and returns it as stored; one that is empty and nobody's own is deleted instead.
   * @throws ConflictError, NotFoundError
   */
  async save(block: IPAMBlock, spec: BlockSpec): Promise<IPAMBlock | undefined> {
    if (!isEmpty(spec) || spec.affinity !== undefined) {
      return this.#datastore.update(ipamBlocks, { ...block, spec: { ...spec, deleted: false } });
    }
    await this.#delete(ipamBlocks, block);
    return undefined;
  }

  /** Every claim of one owner, in whatever phase. One that Calico has marked to delete it is in the last. */
  async affinitiesOf(owner: BlockOwner): Promise<BlockAffinity[]> {
    const all = await this.#datastore.list(blockAffinities, { labelSelector: affinitySelector(owner) });
    return all.map((affinity) =>
      affinity.spec.deleted
        ? { ...affinity, spec: { ...affinity.spec, state: 'pendingDeletion' } }
        : affinity,
    );
  }

  /** Claims a block, or finishes a claim that was begun. Returns undefined when it belongs to another, or to nobody yet. */
  claim(owner: BlockOwner, cidr: Cidr): Promise<IPAMBlock | undefined> {
    return compareAndSwap(async () => {
      const affinity = await orUnreadable(this.#begin(owner, cidr));
      // What stands in the claim's place cannot be read: others have room, too.
      if (affinity === 'unreadable') return undefined;
      const block = await this.#ensureBlock(owner, cidr);
      if (!block) {
        await this.#delete(blockAffinities, affinity);
        return undefined;
      }
      // By the revision that was read: whoever began to release the block meanwhile is not overruled.
      await this.#setState(affinity, 'confirmed');
      return block;
    });
  }

  /**
   * Gives a block up: an empty one is deleted, one with addresses becomes nobody's own and goes with its last address.
   * @throws BlockNotEmptyError when it was to be empty and is not; it then stays the node's own
   */
  async release(
    owner: BlockOwner,
    cidr: Cidr,
    { mustBeEmpty, thaw }: { readonly mustBeEmpty: boolean; readonly thaw: Thaw },
  ): Promise<void> {
    await compareAndSwap(async () => {
      const held = await this.#find(blockAffinities, affinityName(owner.name, cidr));
      const affinity = held && (await this.#setState(held, 'pendingDeletion'));
      const block = await this.find(cidr);
      if (block?.spec.affinity === affinityOf(owner)) {
        const spec = thaw(block.spec);
        if (mustBeEmpty && !isEmpty(spec)) {
          if (affinity) await this.#setState(affinity, 'confirmed');
          throw new BlockNotEmptyError(`Cannot release block ${formatCidr(cidr)}: it still holds addresses`);
        }
        await this.save(block, withoutAffinity(spec));
      }
      if (affinity) await this.#delete(blockAffinities, affinity);
    });
  }

  /** The affinity from which a claim goes on: a new one, one left pending, or one that was about to be deleted. */
  async #begin(owner: BlockOwner, cidr: Cidr): Promise<BlockAffinity> {
    const name = affinityName(owner.name, cidr);
    const existing = await this.#find(blockAffinities, name);
    if (existing) {
      const isConfirmed = existing.spec.state === 'confirmed' && !existing.spec.deleted;
      return isConfirmed ? existing : this.#setState(existing, 'pending');
    }
    try {
      return await this.#datastore.create(blockAffinities, {
        apiVersion: apiVersionOf(blockAffinities),
        kind: blockAffinities.kind,
        metadata: { name, labels: affinityLabels(owner, cidr) },
        spec: {
          state: 'pending',
          node: owner.name,
          type: owner.type,
          cidr: formatCidr(cidr),
          deleted: false,
        },
      });
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
      throw new ConflictError(error.message, { cause: error });
    }
  }

  /** The block, made now or before; undefined when it is not the owner's. */
  async #ensureBlock(owner: BlockOwner, cidr: Cidr): Promise<IPAMBlock | undefined> {
    try {
      return await this.#datastore.create(ipamBlocks, {
        apiVersion: apiVersionOf(ipamBlocks),
        kind: ipamBlocks.kind,
        metadata: { name: blockName(cidr) },
        spec: emptyBlock(cidr, affinityOf(owner), this.#now()),
      });
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
    }
    const block = await orUnreadable(this.find(cidr));
    if (!block) throw new ConflictError(`Block ${formatCidr(cidr)} went just now; its place is free`);
    // What cannot be read is nobody's to draw from.
    return block !== 'unreadable' && block.spec.affinity === affinityOf(owner) ? block : undefined;
  }

  /** @throws ConflictError, NotFoundError when the affinity has changed or gone since it was read */
  async #setState(
    affinity: BlockAffinity,
    state: 'pending' | 'confirmed' | 'pendingDeletion',
  ): Promise<BlockAffinity> {
    if (affinity.spec.state === state && !affinity.spec.deleted) return affinity;
    const spec = { ...affinity.spec, state, deleted: false };
    return this.#datastore.update(blockAffinities, { ...affinity, spec });
  }

  #find<T extends Resource>(kind: ResourceKind<T>, name: string): Promise<T | undefined> {
    return ifThere(this.#datastore.get(kind, { name }));
  }

  #delete<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<void> {
    const { name, resourceVersion } = object.metadata;
    return this.#datastore.delete(kind, { name }, resourceVersion ? { resourceVersion } : {});
  }
}

/** Calico marks a block before it deletes it. One that assigns addresses is not to go, whatever it says. */
function isGoing({ spec }: IPAMBlock): boolean {
  return spec.deleted === true && isEmpty(spec);
}
