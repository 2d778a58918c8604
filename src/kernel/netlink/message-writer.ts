// Writes netlink messages, one after another, into one growing buffer: headers, attributes, nested attributes.
// Knows the framing only, not what a message means. Native byte order is little-endian on every architecture that the
// runtime is built for (x64, arm64); what travels in network order has a name that ends in "be".
//
//   message    0       4    6     8    12     16
//              | length | type | flags | seq | port | family header ... | attribute | attribute | ...
//              '---- struct nlmsghdr ---------------'
//   attribute  0        2                      4
//              | length | type | NLA_F_NESTED | value ... | zeros up to a multiple of 4
//
// Lengths count their own header and not the padding. Source: netlink(7), linux/netlink.h.

const headerBytes = 16;
const attributeHeaderBytes = 4;
const nestedFlag = 0x8000;
const maxAttributeBytes = 0xffff;

export class MessageWriter {
  #bytes: Buffer;
  #view: DataView;
  #at = 0;
  #messageStart = -1;
  readonly #nests: number[] = [];

  /** @param capacity bytes to begin with; the buffer doubles when it is full */
  constructor(capacity = 4096) {
    this.#bytes = Buffer.allocUnsafe(capacity);
    this.#view = viewOf(this.#bytes);
  }

  /** Begins a message. What follows are the fields of its family header, then its attributes, then `end`. */
  begin(type: number, flags: number, sequence: number): this {
    if (this.#messageStart >= 0) throw new Error('Cannot begin a netlink message inside another');
    this.#reserve(headerBytes);
    this.#messageStart = this.#at;
    this.#view.setUint32(this.#at, 0, true);
    this.#view.setUint16(this.#at + 4, type, true);
    this.#view.setUint16(this.#at + 6, flags, true);
    this.#view.setUint32(this.#at + 8, sequence, true);
    this.#view.setUint32(this.#at + 12, 0, true);
    this.#at += headerBytes;
    return this;
  }

  /** Ends the message: fills in its length. */
  end(): this {
    if (this.#messageStart < 0 || this.#nests.length > 0) {
      throw new Error(`Cannot end a netlink message with ${this.#nests.length} nested attributes open`);
    }
    this.#view.setUint32(this.#messageStart, this.#at - this.#messageStart, true);
    this.#messageStart = -1;
    return this;
  }

  /** The messages written so far. The bytes stay the writer's own until `reset` is called. */
  finish(): Buffer {
    if (this.#messageStart >= 0) throw new Error('Cannot finish with a netlink message open');
    return this.#bytes.subarray(0, this.#at);
  }

  /** Forgets all messages and keeps the memory. */
  reset(): void {
    this.#at = 0;
    this.#messageStart = -1;
    this.#nests.length = 0;
  }

  /** Bytes written so far, over all messages. */
  get length(): number {
    return this.#at;
  }

  /** Bytes in the innermost open nested attribute, of which there may be 65535; 0 when none is open. */
  get nestedLength(): number {
    const start = this.#nests.at(-1);
    return start === undefined ? 0 : this.#at - start;
  }

  /** A field of a family header. Fields are packed: the caller writes padding where the kernel's structure has it. */
  headerU8(value: number): this {
    this.#reserve(1);
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
    return this;
  }

  headerU16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  headerU16be(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.#at, value, false);
    this.#at += 2;
    return this;
  }

  headerU32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  /** An attribute without a value, which says something by being there. */
  flag(type: number): this {
    this.#begin(type, 0);
    return this;
  }

  u8(type: number, value: number): this {
    const at = this.#begin(type, 1);
    this.#view.setUint32(at, 0, true);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(type: number, value: number): this {
    const at = this.#begin(type, 2);
    this.#view.setUint32(at, 0, true);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u16be(type: number, value: number): this {
    const at = this.#begin(type, 2);
    this.#view.setUint32(at, 0, true);
    this.#view.setUint16(at, value, false);
    return this;
  }

  u32(type: number, value: number): this {
    const at = this.#begin(type, 4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u32be(type: number, value: number): this {
    const at = this.#begin(type, 4);
    this.#view.setUint32(at, value, false);
    return this;
  }

  u64(type: number, value: bigint): this {
    const at = this.#begin(type, 8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  u64be(type: number, value: bigint): this {
    const at = this.#begin(type, 8);
    this.#view.setBigUint64(at, value, false);
    return this;
  }

  bytes(type: number, value: Uint8Array): this {
    const at = this.#begin(type, value.length);
    // For the few bytes of an address a loop is several times faster than TypedArray.prototype.set.
    if (value.length <= 32) for (let i = 0; i < value.length; i++) this.#bytes[at + i] = value[i] ?? 0;
    else this.#bytes.set(value, at);
    return this;
  }

  /** A string and the zero byte that ends it. */
  string(type: number, value: string): this {
    let ascii = true;
    for (let i = 0; i < value.length && ascii; i++) ascii = value.charCodeAt(i) < 0x80;
    if (!ascii) return this.bytes(type, Buffer.from(`${value}\0`));
    const at = this.#begin(type, value.length + 1);
    for (let i = 0; i < value.length; i++) this.#bytes[at + i] = value.charCodeAt(i);
    this.#bytes[at + value.length] = 0;
    return this;
  }

  /** Opens an attribute whose value is attributes (or a family header, then attributes), until `endNested`. */
  beginNested(type: number): this {
    this.#reserve(attributeHeaderBytes);
    this.#nests.push(this.#at);
    this.#view.setUint16(this.#at + 2, type | nestedFlag, true);
    this.#at += attributeHeaderBytes;
    return this;
  }

  /** @throws RangeError when the nested attribute is longer than its 16-bit length can say. */
  endNested(): this {
    const start = this.#nests.pop();
    if (start === undefined) throw new Error('Cannot end a nested netlink attribute: none is open');
    this.#view.setUint16(start, fittingLength(this.#at - start), true);
    return this;
  }

  /** Writes an attribute's header and the zeros behind its value; returns where the value goes. May replace buffer and view. */
  #begin(type: number, valueBytes: number): number {
    const length = fittingLength(attributeHeaderBytes + valueBytes);
    const padded = (length + 3) & ~3;
    this.#reserve(padded);
    const at = this.#at;
    this.#view.setUint16(at, length, true);
    this.#view.setUint16(at + 2, type, true);
    for (let i = at + length; i < at + padded; i++) this.#bytes[i] = 0;
    this.#at = at + padded;
    return at + attributeHeaderBytes;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

function fittingLength(bytes: number): number {
  if (bytes > maxAttributeBytes) {
    throw new RangeError(
      `Cannot write a netlink attribute of ${bytes} bytes: ${maxAttributeBytes} is the most that its length field holds`,
    );
  }
  return bytes;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
