// Reads the attributes of a netlink message. It does not copy: values are looked up in the bytes when asked for.
// The layout is drawn in message-writer.ts.

const typeMask = 0x3fff;

/** The attributes of a message, or of an attribute that nests others. A getter returns undefined where there is no such attribute. */
export class Attributes {
  readonly #bytes: Buffer;
  /** Type, start and end of each value, flat: messages have few attributes, and this is read far more often than kept. */
  readonly #found: number[] = [];

  /** @throws RangeError when an attribute's length does not fit its surroundings. */
  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    for (let at = start; at + 4 <= end; ) {
      const length = bytes.readUInt16LE(at);
      if (length < 4 || at + length > end) {
        throw new RangeError(
          `A netlink attribute says it is ${length} bytes long where ${end - at} are left`,
        );
      }
      this.#found.push(bytes.readUInt16LE(at + 2) & typeMask, at + 4, at + length);
      at += (length + 3) & ~3;
    }
  }

  has(type: number): boolean {
    return this.#indexOf(type) >= 0;
  }

  u8(type: number): number | undefined {
    const at = this.#startOf(type, 1);
    return at < 0 ? undefined : this.#bytes[at];
  }

  u16(type: number): number | undefined {
    const at = this.#startOf(type, 2);
    return at < 0 ? undefined : this.#bytes.readUInt16LE(at);
  }

  u16be(type: number): number | undefined {
    const at = this.#startOf(type, 2);
    return at < 0 ? undefined : this.#bytes.readUInt16BE(at);
  }

  u32(type: number): number | undefined {
    const at = this.#startOf(type, 4);
    return at < 0 ? undefined : this.#bytes.readUInt32LE(at);
  }

  u32be(type: number): number | undefined {
    const at = this.#startOf(type, 4);
    return at < 0 ? undefined : this.#bytes.readUInt32BE(at);
  }

  u64(type: number): bigint | undefined {
    const at = this.#startOf(type, 8);
    return at < 0 ? undefined : this.#bytes.readBigUInt64LE(at);
  }

  u64be(type: number): bigint | undefined {
    const at = this.#startOf(type, 8);
    return at < 0 ? undefined : this.#bytes.readBigUInt64BE(at);
  }

  /** The text up to its zero byte, or all of it when there is none. */
  string(type: number): string | undefined {
    const index = this.#indexOf(type);
    if (index < 0) return undefined;
    const start = this.#found[index + 1] ?? 0;
    const end = this.#found[index + 2] ?? 0;
    const zero = this.#bytes.indexOf(0, start);
    return this.#bytes.toString('utf8', start, zero >= 0 && zero < end ? zero : end);
  }

  /** A window on the message's own bytes: copy it to keep it beyond the message. */
  bytes(type: number): Buffer | undefined {
    const index = this.#indexOf(type);
    return index < 0 ? undefined : this.#bytes.subarray(this.#found[index + 1], this.#found[index + 2]);
  }

  nested(type: number): Attributes | undefined {
    const index = this.#indexOf(type);
    if (index < 0) return undefined;
    return new Attributes(this.#bytes, this.#found[index + 1], this.#found[index + 2]);
  }

  /** Every attribute of a type, each read as a nest, in order: the kernel's lists repeat one type. */
  list(type: number): Attributes[] {
    const nests: Attributes[] = [];
    for (let i = 0; i < this.#found.length; i += 3) {
      if (this.#found[i] !== type) continue;
      nests.push(new Attributes(this.#bytes, this.#found[i + 1], this.#found[i + 2]));
    }
    return nests;
  }

  /** The types that are there, in order, repeated where they repeat. */
  types(): number[] {
    return this.#found.filter((_, index) => index % 3 === 0);
  }

  #indexOf(type: number): number {
    for (let i = 0; i < this.#found.length; i += 3) if (this.#found[i] === type) return i;
    return -1;
  }

  #startOf(type: number, atLeast: number): number {
    const index = this.#indexOf(type);
    if (index < 0) return -1;
    const start = this.#found[index + 1] ?? 0;
    const length = (this.#found[index + 2] ?? 0) - start;
    if (length < atLeast) {
      throw new RangeError(`Netlink attribute ${type} holds ${length} bytes where ${atLeast} are needed`);
    }
    return start;
  }
}
