// Group commit: changes of one block that are wanted while a write of it is under way wait for one another, are decided one
// after the other on the same state, and share the next compare-and-swap write. Keeps the last known state of each block, so
// that a write usually needs no read: the revision proves that what was known still is so.
import { type Cidr, formatCidr } from '../net/index.ts';
import type { IPAMBlock } from '../resources/index.ts';
import type { BlockSpec } from './block.ts';
import type { Blocks, Thaw } from './blocks.ts';
import { compareAndSwap } from './compare-and-swap.ts';

/** What to make of a block: its next spec (the same when there is nothing to write), and what to tell the caller. */
export interface Decision<R> {
  readonly spec: BlockSpec;
  readonly result: R;
}

interface Change {
  readonly thaw: Thaw;
  /** Decides on a state and returns the next, with what to call once that is stored, or why this change has failed. */
  readonly decide: (spec: BlockSpec) => { spec: BlockSpec; settle: () => void };
  /** There is no such block. */
  readonly miss: () => void;
  readonly fail: (error: unknown) => void;
  /** How many free addresses it had been promised. */
  readonly promised: number;
}

export class BlockWriter {
  readonly #blocks: Blocks;
  readonly #known = new Map<string, IPAMBlock>();
  /** Changes that wait for the write under way; a block that has an entry is being written. */
  readonly #waiting = new Map<string, Change[]>();
  readonly #promised = new Map<string, number>();

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  /** The last known state of every block that was met here; any of them may be out of date. */
  known(): Iterable<IPAMBlock> {
    return this.#known.values();
  }

  /** Takes note of a state that was read or written elsewhere, unless a write of the block is under way and knows better. */
  learn(block: IPAMBlock): void {
    if (!this.#waiting.has(block.spec.cidr)) this.#known.set(block.spec.cidr, block);
  }

  forget(cidr: Cidr): void {
    this.#known.delete(formatCidr(cidr));
  }

  /** How many addresses of a block are spoken for by changes that are not stored yet. */
  promised(cidr: Cidr): number {
    return this.#promised.get(formatCidr(cidr)) ?? 0;
  }

  /** Speaks for addresses of a block until the change that takes them is stored, or `withdraw` is called. */
  promise(cidr: Cidr, count: number): void {
    const key = formatCidr(cidr);
    const sum = (this.#promised.get(key) ?? 0) + count;
    if (sum > 0) this.#promised.set(key, sum);
    else this.#promised.delete(key);
  }

  withdraw(cidr: Cidr, count: number): void {
    this.promise(cidr, -count);
  }

  /**
   * Changes a block by what `decide` makes of its state; it may be called several times, and must only decide. With it go the
   * `promised` addresses. Returns undefined when there is no such block.
   * @throws whatever `decide` throws, which fails this change alone; the datastore's errors, after which it is unknown what was written
   */
  change<R>(
    cidr: Cidr,
    thaw: Thaw,
    decide: (spec: BlockSpec) => Decision<R>,
    promised = 0,
  ): Promise<R | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<R | undefined>();
    const change: Change = {
      thaw,
      decide: (spec) => {
        try {
          const decision = decide(spec);
          return { spec: decision.spec, settle: () => resolve(decision.result) };
        } catch (error) {
          return { spec, settle: () => reject(error) };
        }
      },
      miss: () => resolve(undefined),
      fail: reject,
      promised,
    };
    const waiting = this.#waiting.get(formatCidr(cidr));
    if (waiting) waiting.push(change);
    else {
      const queue = [change];
      this.#waiting.set(formatCidr(cidr), queue);
      void this.#drain(cidr, queue);
    }
    return promise;
  }

  async #drain(cidr: Cidr, queue: Change[]): Promise<void> {
    while (queue.length > 0) {
      // What else is wanted in this turn of the event loop comes along.
      await Promise.resolve();
      await this.#write(cidr, queue.splice(0));
    }
    this.#waiting.delete(formatCidr(cidr));
  }

  async #write(cidr: Cidr, batch: readonly Change[]): Promise<void> {
    try {
      const settle = await compareAndSwap(() => this.#attempt(cidr, batch));
      this.#keepPromises(cidr, batch);
      for (const done of settle) done();
    } catch (error) {
      this.forget(cidr);
      this.#keepPromises(cidr, batch);
      for (const { fail } of batch) fail(error);
    }
  }

  async #attempt(cidr: Cidr, batch: readonly Change[]): Promise<(() => void)[]> {
    const key = formatCidr(cidr);
    const remembered = this.#known.get(key);
    // Should the write be refused, the next attempt reads.
    this.#known.delete(key);
    const block = remembered ?? (await this.#blocks.find(cidr));
    if (!block) return batch.map(({ miss }) => miss);
    let spec = block.spec;
    let isChanged = false;
    const settle = batch.map(({ thaw, decide }) => {
      const thawed = thaw(spec);
      const decided = decide(thawed);
      isChanged ||= decided.spec !== thawed;
      spec = decided.spec;
      return decided.settle;
    });
    if (!isChanged) {
      // Decided on a memory that no write has proved: look before saying no.
      if (remembered) return this.#attempt(cidr, batch);
      this.#known.set(key, block);
      return settle;
    }
    const written = this.#blocks.save(block, spec);
    // Meanwhile others may look for room in it; what this write takes is promised still.
    this.#known.set(key, block);
    const saved = await written.catch((error: unknown) => {
      this.#known.delete(key);
      throw error;
    });
    if (saved) this.#known.set(key, saved);
    else this.#known.delete(key);
    return settle;
  }

  #keepPromises(cidr: Cidr, batch: readonly Change[]): void {
    this.withdraw(
      cidr,
      batch.reduce((sum, { promised }) => sum + promised, 0),
    );
  }
}
