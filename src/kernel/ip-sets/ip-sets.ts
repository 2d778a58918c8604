// The IP sets of one network namespace, which iptables' rules look addresses up in. Our own rules use nf_tables' sets: these are only
// found and destroyed. Source: linux/netfilter/ipset/ip_set.h.
//
//   struct nfgenmsg  0        1         2             4
//                    | family | version | resource id | attributes ...
import { errno, KernelError } from '../ffi.ts';
import {
  Attributes,
  faultError,
  MessageWriter,
  NetlinkSocket,
  type NetlinkSocketOptions,
  netlinkNetfilter,
  nlmAck,
  nlmRequest,
} from '../netlink/index.ts';

/** NFNL_SUBSYS_IPSET in the high byte, IPSET_CMD_* in the low one. */
const destroySet = 0x603;
const listSets = 0x607;
/** IPSET_ATTR_*. */
const attribute = { protocol: 1, name: 2, flags: 6 } as const;
/** The oldest that kernels still speak. */
const protocol = 6;
/** IPSET_FLAG_LIST_SETNAME: names alone, without members. */
const namesOnly = 2;
/** IPSET_ERR_BUSY: a rule or another set uses it. */
const busy = 4100;
const nfgenmsgBytes = 4;
const NFPROTO_IPV4 = 2;

export class IpSets implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #writer = new MessageWriter(256);

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** Opens a socket in a namespace, whose descriptor may be closed thereafter. */
  static open(options: NetlinkSocketOptions = {}): IpSets {
    return new IpSets(NetlinkSocket.open(netlinkNetfilter, options));
  }

  /** In the kernel's order; empty too where the kernel has no IP sets. @throws KernelError */
  names(): string[] {
    const query = this.#begin(listSets, 0).u32be(attribute.flags, namesOnly).end().finish();
    try {
      return this.#socket.dump(
        query,
        ({ payload }) => new Attributes(payload, nfgenmsgBytes).string(attribute.name),
        'Cannot list IP sets',
      );
    } catch (error) {
      // EINVAL: nobody in the kernel answers to that.
      if (error instanceof KernelError && error.errno === errno.EINVAL) return [];
      throw error;
    }
  }

  /** Returns false for one that a rule or another set uses; one that is gone already is no error. @throws KernelError */
  destroy(name: string): boolean {
    const message = this.#begin(destroySet, nlmAck).string(attribute.name, name).end().finish();
    const [fault] = this.#socket.request(message).faults;
    if (fault === undefined || fault.errno === errno.ENOENT) return true;
    if (fault.errno === busy) return false;
    throw faultError(`Cannot destroy the IP set "${name}"`, fault);
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #begin(type: number, flags: number): MessageWriter {
    this.#writer.reset();
    return this.#writer
      .begin(type, nlmRequest | flags, this.#socket.nextSequence())
      .headerU8(NFPROTO_IPV4)
      .headerU8(0)
      .headerU16be(0)
      .u8(attribute.protocol, protocol);
  }
}
