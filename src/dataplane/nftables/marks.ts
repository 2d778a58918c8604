// Which bits of packets' and of connections' marks are ours: the lowest of Felix' nftablesMarkMask, up to sixteen. All other bits are
// left as they are.
import { hostU32 } from './bytes.ts';

/** Upstream's. */
const defaultMask = 0xffff0000;
const [fewest, most] = [8, 16];

export class Marks {
  /** Those bits. */
  readonly ours: number;
  /** The greatest number of a state of policy that there is room for, beside a bit that says how far a connection has come. */
  readonly lastGeneration: number;
  /** The greatest number of a state that there is room for on a packet, beside three bits that say what has befallen it. */
  readonly lastStamp: number;
  readonly #bits: readonly number[];

  /** @throws RangeError for a mask of fewer than eight bits */
  constructor(mask = defaultMask) {
    const bits = Array.from({ length: 32 }, (_, n) => (1 << n) >>> 0).filter((bit) => (mask & bit) !== 0);
    if (bits.length < fewest)
      throw new RangeError(`A mask needs ${fewest} bits, and 0x${mask.toString(16)} has ${bits.length}`);
    this.#bits = bits.slice(0, most);
    this.ours = this.place(2 ** most - 1);
    this.lastGeneration = 2 ** (this.#bits.length - 1) - 1;
    this.lastStamp = 2 ** (this.#bits.length - 3) - 1;
  }

  /** A number where our bits are. */
  place(value: number): number {
    return this.#bits.reduce((mark, bit, n) => ((value >>> n) & 1 ? mark | bit : mark) >>> 0, 0);
  }

  /** What `place` placed there. */
  read(mark: number): number {
    return this.#bits.reduce((value, bit, n) => (mark & bit ? value | (1 << n) : value), 0);
  }

  /** A register's bytes: all bits but these of ours. */
  without(bits: number): Uint8Array {
    return hostU32(~this.place(bits) >>> 0);
  }

  /** A register's bytes: these bits of ours. */
  of(bits: number): Uint8Array {
    return hostU32(this.place(bits));
  }
}

export const defaultMarks = new Marks();
