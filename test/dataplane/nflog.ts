// Reads what rules log to an NFLOG group in a network namespace.
//
//   CONFIG: type 4 << 8 | 1, nfgenmsg { family, version, group be16 }, CMD 1 { BIND 1 }, MODE 2 { be32 length, u8 PACKET 2, u8 }, QTHRESH 5
//   PACKET: type 4 << 8 | 0, PREFIX 10
import { pollReadable } from '../../src/kernel/index.ts';
import {
  Attributes,
  eachMessage,
  MessageWriter,
  NetlinkSocket,
  netlinkNetfilter,
} from '../../src/kernel/netlink/index.ts';

const subsystem = 4;
const nfgenmsgBytes = 4;
const nlmRequestAck = 5;

export class NflogReader implements Disposable {
  readonly #socket: NetlinkSocket;

  constructor(namespace: number, group: number) {
    this.#socket = NetlinkSocket.open(netlinkNetfilter, { namespace });
    const writer = new MessageWriter(256).begin((subsystem << 8) | 1, nlmRequestAck, 1);
    writer.headerU8(0).headerU8(0).headerU16be(group);
    writer
      .bytes(1, Uint8Array.of(1))
      .bytes(2, Uint8Array.of(0, 0, 0, 64, 2, 0))
      .u32be(5, 1);
    this.#socket.request(writer.end().finish());
  }

  /** Prefixes of what was logged since the last call; waits until there are so many. */
  take(count = 0): string[] {
    const prefixes: string[] = [];
    do {
      if (prefixes.length < count && pollReadable([this.#socket], 10_000).length === 0) break;
      prefixes.push(...this.#read());
    } while (prefixes.length < count);
    return prefixes;
  }

  #read(): string[] {
    const prefixes: string[] = [];
    for (let datagram = this.#socket.receive(); datagram; datagram = this.#socket.receive()) {
      eachMessage(datagram, ({ type, payload }) => {
        if (type >> 8 === subsystem) prefixes.push(new Attributes(payload, nfgenmsgBytes).string(10) ?? '');
      });
    }
    return prefixes;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
