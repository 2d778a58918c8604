// The connections that one network namespace tracks: lists them, takes bits off their marks, deletes them.
import { errno } from '../ffi.ts';
import {
  faultError,
  MessageWriter,
  NetlinkSocket,
  type NetlinkSocketOptions,
  netlinkNetfilter,
  nlmRequest,
} from '../netlink/index.ts';
import { type ConntrackEntry, type ConntrackKey, cta, decodeEntry, decodeMarkedKey } from './entry.ts';

/** NFNL_SUBSYS_CTNETLINK in the high byte, IPCTNL_MSG_CT_* in the low one. */
const newEntry = 0x100;
const getEntry = 0x101;
const deleteEntry = 0x102;
/** Attributes that nest others say so in their type. */
const nested = 0x8000;
/** Entries changed in one send: a millisecond or two, and then the event loop has its turn. */
const entriesPerSend = 1000;

export class Conntrack implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #writer = new MessageWriter(64 * 1024);

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** Opens a socket in a namespace, whose descriptor may be closed thereafter. */
  static open(options: NetlinkSocketOptions = {}): Conntrack {
    return new Conntrack(NetlinkSocket.open(netlinkNetfilter, options));
  }

  /** All entries of both families. The kernel tracks only where some rule asks it to. */
  entries(): ConntrackEntry[] {
    return this.#socket.dump(this.#query(), decodeEntry, 'Cannot list tracked connections');
  }

  /**
   * Sets these bits to 0 in the marks of all entries and leaves the other bits as they are at that moment. Returns how many
   * entries had any of them. A connection that is marked while this runs may keep its mark: whoever marks must know the new
   * policy before this is called.
   */
  async clearMarks(bits: number): Promise<number> {
    const what = `Cannot clear 0x${bits.toString(16)} from the marks of tracked connections`;
    const keys = this.#socket.dump(this.#query(), (message) => decodeMarkedKey(message, bits), what);
    for (let start = 0; start < keys.length; start += entriesPerSend) {
      if (start > 0) await new Promise((resolve) => setImmediate(resolve));
      this.#send(newEntry, keys.slice(start, start + entriesPerSend), what, (writer) =>
        writer.u32be(cta.mark, 0).u32be(cta.markMask, bits),
      );
    }
    return keys.length;
  }

  /** Deletes the entries of whoever had one of these addresses before, as text, translated ones too. Returns how many there were. */
  deleteOf(addresses: ReadonlySet<string>): number {
    const keys = this.entries().flatMap(({ key, original, reply }) =>
      [original, reply].some(({ source, destination }) => addresses.has(source) || addresses.has(destination))
        ? [key]
        : [],
    );
    this.delete(keys);
    return keys.length;
  }

  /** Deletes entries; one that is gone already is no error. */
  delete(keys: readonly ConntrackKey[]): void {
    this.#send(deleteEntry, keys, 'Cannot delete a tracked connection');
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #query(): Buffer {
    this.#writer.reset();
    return this.#writer.begin(getEntry, nlmRequest, 0).headerU32(0).end().finish();
  }

  /** The kernel answers only what it refuses: an acknowledgement is not asked for. */
  #send(
    type: number,
    keys: readonly ConntrackKey[],
    what: string,
    write?: (writer: MessageWriter) => void,
  ): void {
    if (keys.length === 0) return;
    this.#writer.reset();
    for (const { family, tuple, zone, id } of keys) {
      this.#writer.begin(type, nlmRequest, this.#socket.nextSequence());
      this.#writer.headerU8(family).headerU8(0).headerU16be(0);
      this.#writer.bytes(cta.original | nested, tuple);
      if (zone !== 0) this.#writer.u16be(cta.zone, zone);
      // Read when deleting, not when changing: a new connection that has taken a key over may lose its mark, and is judged again.
      this.#writer.u32be(cta.id, id);
      write?.(this.#writer);
      this.#writer.end();
    }
    const fault = this.#socket.request(this.#writer.finish()).faults.find((f) => f.errno !== errno.ENOENT);
    if (fault) throw faultError(what, fault);
  }
}
