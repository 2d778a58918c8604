// Assigns and frees addresses of one block and keeps their owner's handle in step: the handle before the block when assigning,
// the block before the handle when freeing. A crash in between leaves a handle that counts too many, never too few.
import { type Address, type Cidr, formatCidr } from '../net/index.ts';
import { type AddressOwner, addressOf, type BlockSpec, holderOf, release } from './block.ts';
import type { BlockWriter } from './block-writer.ts';
import type { Thaw } from './blocks.ts';
import { AddressInUseError } from './errors.ts';
import type { Handles } from './handles.ts';
import { orUnreadable } from './or-unreadable.ts';
import type { Rest } from './rest.ts';

export interface Freed {
  readonly address: Address;
  readonly handleId: string | undefined;
}

export class Ledger {
  readonly #writer: BlockWriter;
  readonly #handles: Handles;

  constructor(writer: BlockWriter, handles: Handles) {
    this.#writer = writer;
    this.#handles = handles;
  }

  /**
   * Takes at most `count` addresses, those that `choose` says. They had been promised by the writer, which is kept to here
   * however this ends. Returns undefined when there is no such block.
   */
  async take(
    cidr: Cidr,
    count: number,
    owner: AddressOwner,
    thaw: Thaw,
    choose: (spec: BlockSpec) => { spec: BlockSpec; ordinals: number[] },
  ): Promise<Address[] | undefined> {
    const block = formatCidr(cidr);
    try {
      await this.#handles.increment(owner.handleId, block, count);
    } catch (error) {
      this.#writer.withdraw(cidr, count);
      throw error;
    }
    const decide = (before: BlockSpec) => {
      const { spec, ordinals } = choose(before);
      return { spec, result: ordinals.map((ordinal) => addressOf(spec, ordinal)) };
    };
    let taken: Address[] | 'unreadable' | undefined;
    try {
      taken = await orUnreadable(this.#writer.change(cidr, thaw, decide, count));
    } catch (error) {
      // Here nothing was written to the block for certain; after other errors that is unknown, and the count stays.
      if (error instanceof AddressInUseError) await this.#handles.decrement(owner.handleId, block, count);
      throw error;
    }
    const kept = taken === 'unreadable' ? undefined : taken;
    const excess = count - (kept?.length ?? 0);
    if (excess > 0) await this.#handles.decrement(owner.handleId, block, excess);
    return kept;
  }

  /** Frees what `choose` says, the handles afterwards. */
  async free(cidr: Cidr, rest: Rest, choose: (spec: BlockSpec) => number[]): Promise<Address[]> {
    const freed = await this.freeInBlock(cidr, rest, choose);
    for (const owner of new Set(freed.map(({ handleId }) => handleId))) {
      if (owner === undefined) continue;
      const count = freed.filter(({ handleId }) => handleId === owner).length;
      await this.#handles.decrement(owner, formatCidr(cidr), count);
    }
    return freed.map(({ address }) => address);
  }

  /** Frees what `choose` says; the handles are the caller's to write, afterwards. */
  async freeInBlock(
    cidr: Cidr,
    { thaw, releasedAt }: Rest,
    choose: (spec: BlockSpec) => number[],
  ): Promise<Freed[]> {
    const freed = await this.#writer.change(cidr, thaw, (before) => {
      const ordinals = choose(before);
      const result = ordinals.map((ordinal) => ({
        address: addressOf(before, ordinal),
        handleId: holderOf(before, ordinal)?.handle_id,
      }));
      return { spec: release(before, ordinals, releasedAt), result };
    });
    return freed ?? [];
  }
}
