// Blocks and nodes' claims on them, as stored objects. A claim has two phases, so that a crash at any point leaves something
// that the next attempt can finish: the affinity is "pending", then the block is made, then the affinity is "confirmed".
import { AlreadyExistsError, ConflictError, type Datastore, NotFoundError } from '../datastore/index.ts';
import { type Cidr, formatCidr } from '../net/index.ts';
import {
  apiVersionOf,
  type BlockAffinity,
  blockAffinities,
  type IPAMBlock,
  ipamBlocks,
  type Resource,
  type ResourceKind,
} from '../resources/index.ts';
import { type BlockSpec, emptyBlock, isEmpty, withoutAffinity } from './block.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { BlockNotEmptyError } from './errors.ts';
import { affinitiesOfNode, affinityLabels, affinityName, blockName, hostAffinity } from './names.ts';

export class Blocks {
  readonly #datastore: Datastore;

  constructor(datastore: Datastore) {
    this.#datastore = datastore;
  }

  list(): Promise<IPAMBlock[]> {
    return this.#datastore.list(ipamBlocks);
  }

  /** Undefined when there is no such block, or it is about to go. */
  async find(cidr: Cidr): Promise<IPAMBlock | undefined> {
    const block = await this.#find(ipamBlocks, blockName(cidr));
    return block?.spec.deleted ? undefined : block;
  }

  /** Writes a block back; one that is empty and nobody's own is deleted instead. @throws ConflictError, NotFoundError */
  async save(block: IPAMBlock, spec: BlockSpec): Promise<void> {
    if (isEmpty(spec) && spec.affinity === undefined) await this.#delete(ipamBlocks, block);
    else await this.#datastore.update(ipamBlocks, { ...block, spec });
  }

  /** Every claim of a node, in whatever phase. */
  affinitiesOf(node: string): Promise<BlockAffinity[]> {
    return this.#datastore.list(blockAffinities, { labelSelector: affinitiesOfNode(node) });
  }

  /** Claims a block, or finishes a claim that was begun. Returns false when it belongs to another node, or to nobody yet. */
  claim(node: string, cidr: Cidr): Promise<boolean> {
    return compareAndSwap(async () => {
      const affinity = await this.#begin(node, cidr);
      if (!(await this.#ensureBlock(node, cidr))) {
        await this.#delete(blockAffinities, affinity);
        return false;
      }
      // By the revision that was read: whoever began to release the block meanwhile is not overruled.
      await this.#setState(affinity, 'confirmed');
      return true;
    });
  }

  /**
   * Gives a block up: an empty one is deleted, one with addresses becomes nobody's own and goes with its last address.
   * @throws BlockNotEmptyError when it was to be empty and is not; it then stays the node's own
   */
  async release(node: string, cidr: Cidr, { mustBeEmpty }: { readonly mustBeEmpty: boolean }): Promise<void> {
    await compareAndSwap(async () => {
      const held = await this.#find(blockAffinities, affinityName(node, cidr));
      const affinity = held && (await this.#setState(held, 'pendingDeletion'));
      const block = await this.find(cidr);
      if (block?.spec.affinity === hostAffinity(node)) {
        if (mustBeEmpty && !isEmpty(block.spec)) {
          if (affinity) await this.#setState(affinity, 'confirmed');
          throw new BlockNotEmptyError(`Cannot release block ${formatCidr(cidr)}: it still holds addresses`);
        }
        await this.save(block, withoutAffinity(block.spec));
      }
      if (affinity) await this.#delete(blockAffinities, affinity);
    });
  }

  /** The affinity from which a claim goes on: a new one, one left pending, or one that was about to be deleted. */
  async #begin(node: string, cidr: Cidr): Promise<BlockAffinity> {
    const name = affinityName(node, cidr);
    const existing = await this.#find(blockAffinities, name);
    if (existing) return existing.spec.state === 'confirmed' ? existing : this.#setState(existing, 'pending');
    try {
      return await this.#datastore.create(blockAffinities, {
        apiVersion: apiVersionOf(blockAffinities),
        kind: blockAffinities.kind,
        metadata: { name, labels: affinityLabels(node, cidr) },
        spec: { state: 'pending', node, type: 'host', cidr: formatCidr(cidr), deleted: false },
      });
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
      throw new ConflictError(error.message, { cause: error });
    }
  }

  /** Whether the block, made now or before, is the node's own. */
  async #ensureBlock(node: string, cidr: Cidr): Promise<boolean> {
    try {
      await this.#datastore.create(ipamBlocks, {
        apiVersion: apiVersionOf(ipamBlocks),
        kind: ipamBlocks.kind,
        metadata: { name: blockName(cidr) },
        spec: emptyBlock(cidr, hostAffinity(node), new Date()),
      });
      return true;
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
    }
    const block = await this.find(cidr);
    return block?.spec.affinity === hostAffinity(node);
  }

  /** @throws ConflictError, NotFoundError when the affinity has changed or gone since it was read */
  async #setState(
    affinity: BlockAffinity,
    state: 'pending' | 'confirmed' | 'pendingDeletion',
  ): Promise<BlockAffinity> {
    if (affinity.spec.state === state) return affinity;
    return this.#datastore.update(blockAffinities, { ...affinity, spec: { ...affinity.spec, state } });
  }

  async #find<T extends Resource>(kind: ResourceKind<T>, name: string): Promise<T | undefined> {
    try {
      return await this.#datastore.get(kind, { name });
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  #delete<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<void> {
    const { name, resourceVersion } = object.metadata;
    return this.#datastore.delete(kind, { name }, resourceVersion ? { resourceVersion } : {});
  }
}
