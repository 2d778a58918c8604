// Repairs what an audit found, each finding only if it still is as it was found: an address that was assigned anew, or a claim
// that went on meanwhile, is left alone.
import { type Datastore, ifUnchanged, MisfitError } from '../../datastore/index.ts';
import { formatAddress, parseAddress, parseCidr } from '../../net/index.ts';
import { blockAffinities } from '../../resources/index.ts';
import { holderOf, ordinalsOf, release } from '../block.ts';
import { Blocks, type Thaw } from '../blocks.ts';
import { compareAndSwap } from '../compare-and-swap.ts';
import { BlockNotEmptyError } from '../errors.ts';
import { Handles } from '../handles.ts';
import { IpamClient } from '../ipam-client.ts';
import { nodeOwner } from '../owner.ts';
import { unreadableAround } from '../unreadable-blocks.ts';
import { type Allocation, allocationsOf } from './allocations.ts';
import type { HalfClaimedBlock, OrphanedBlock, WrongHandle } from './audit.ts';
import type { IdleBlock } from './idle-blocks.ts';

export class IpamRepair {
  readonly #datastore: Datastore;
  readonly #blocks: Blocks;
  readonly #handles: Handles;
  readonly #client: IpamClient;

  constructor(datastore: Datastore, now: () => Date = () => new Date()) {
    this.#datastore = datastore;
    this.#blocks = new Blocks(datastore, now);
    this.#handles = new Handles(datastore);
    this.#client = new IpamClient(datastore, { now });
  }

  /** Frees this very assignment. Returns false when it is gone, or the address belongs to a later one. */
  async releaseAllocation(allocation: Allocation): Promise<boolean> {
    const { address, block: cidr, handle, sequenceNumber } = allocation;
    let left = 0;
    const isFreed = await compareAndSwap(async () => {
      const block = await this.#blocks.find(parseCidr(cidr));
      if (!block) return false;
      const ordinal = Number(parseAddress(address).value - parseCidr(cidr).network);
      const holder = holderOf(block.spec, ordinal);
      const sequence = block.spec.sequenceNumberForAllocation?.[String(ordinal)];
      if (!holder || holder.handle_id !== handle || sequence !== sequenceNumber) return false;
      const spec = release(block.spec, [ordinal]);
      left = handle === undefined ? 0 : ordinalsOf(spec, handle).length;
      await this.#blocks.save(block, spec);
      return true;
    });
    if (isFreed && handle !== undefined) await this.#handles.decrement(handle, cidr, 1, left);
    return isFreed;
  }

  /**
   * Sets a handle's counts to what blocks assign to it; one that holds nothing is deleted, and one that is missing made.
   * Returns false when it changed since.
   */
  async recountHandle({ handle, blocks, resourceVersion }: WrongHandle): Promise<boolean> {
    const stored = await this.#handles.find(handle);
    if ((stored?.metadata.resourceVersion ?? '') !== resourceVersion) return false;
    const counts: Record<string, number> = {};
    for (const cidr of new Set([...Object.keys(stored?.spec.block ?? {}), ...Object.keys(blocks)])) {
      const block = await this.#blocks.find(parseCidr(cidr));
      counts[cidr] = block ? ordinalsOf(block.spec, stored?.spec.handleID ?? handle).length : 0;
    }
    return ifUnchanged(() =>
      stored ? this.#handles.recount(stored, counts) : this.#handles.restore(handle, counts),
    );
  }

  /** Finishes what was begun: a claim whose block is there, or else its release. Returns false when it changed since. */
  async settleClaim({ block: cidr, node, resourceVersion }: HalfClaimedBlock): Promise<boolean> {
    const affinities = await this.#datastore.list(blockAffinities);
    const claim = affinities.find(({ spec }) => spec.node === node && spec.cidr === cidr);
    if (claim?.metadata.resourceVersion !== resourceVersion) return false;
    const block = await this.#blocks.find(parseCidr(cidr));
    const isPending = claim?.spec.state === 'pending' && !claim.spec.deleted;
    if (!isPending || block?.spec.affinity !== `host:${node}`) {
      await this.#client.releaseAffinity(node, parseCidr(cidr), { mustBeEmpty: false });
      return true;
    }
    return ifUnchanged(() =>
      this.#datastore.update(blockAffinities, { ...claim, spec: { ...claim.spec, state: 'confirmed' } }),
    );
  }

  /** Gives up a removed node's block; addresses in it stay assigned, and the block goes with the last of them. */
  async releaseOrphan({ block, node }: OrphanedBlock): Promise<void> {
    await this.#client.releaseAffinity(node, parseCidr(block), { mustBeEmpty: false });
  }

  /** Gives up an empty block that nobody needs. Returns false when it changed since, or got an address. */
  async releaseIdle({ block: cidr, node, resourceVersion }: IdleBlock, thaw: Thaw): Promise<boolean> {
    const block = await this.#blocks.find(parseCidr(cidr));
    if (block?.metadata.resourceVersion !== resourceVersion) return false;
    try {
      return await ifUnchanged(() =>
        node === undefined
          ? this.#blocks.save(block, thaw(block.spec))
          : this.#blocks.release(nodeOwner(node), parseCidr(cidr), { mustBeEmpty: true, thaw }),
      );
    } catch (error) {
      if (error instanceof BlockNotEmptyError) return false;
      throw error;
    }
  }

  /**
   * The assignment of an address as it stands; undefined when it is not assigned.
   * @throws MisfitError when that cannot be told for want of a sound block
   */
  async findAllocation(text: string): Promise<Allocation | undefined> {
    const parsed = parseAddress(text);
    const address = formatAddress(parsed);
    const { blocks, unreadable } = await this.#blocks.survey();
    for (const block of blocks) {
      const found = allocationsOf(block).find((allocation) => allocation.address === address);
      if (found) return found;
    }
    const hidden = unreadableAround(unreadable, parsed);
    if (!hidden) return undefined;
    throw new MisfitError(
      `Cannot tell whether ${address} is assigned: IPAMBlock "${hidden.name}" cannot be read (${hidden.fault})`,
    );
  }
}
