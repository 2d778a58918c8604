// A netlink socket, in the network namespace where it was opened, for as long as it lives. The kernel handles requests inside
// send(), so an answer is there when send() returns and is read without waiting. Says nothing about what messages mean.
import { attachFilter, c, checked, errno, KernelError, lastErrno } from '../ffi.ts';
import { inNamespace } from '../namespaces/in-namespace.ts';
import { nlmDump, nlmDumpInterrupted, nlmRequest, nlmsgDone, nlmsgError } from './constants.ts';
import {
  eachMessage,
  faultError,
  type NetlinkFault,
  type NetlinkMessage,
  readDumpFault,
  readFault,
} from './messages.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
/** struct sockaddr_nl { u16 family; u16 pad; u32 port; u32 groups; }, port 0 asking for any. */
const sockaddrBytes = 12;
const SIOCGSKNS = 0x894c;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;

const BPF_LD_W_ABS = 0x20;
const BPF_JEQ_K = 0x15;
const BPF_RET_K = 0x06;

/** A whole transaction is one send, and all its acknowledgements wait in the socket. Both are limits, not memory. */
const bufferBytes = 64 * 1024 * 1024;
/** The kernel makes a dump's datagrams 32 KiB at most; our requests ask for capped acknowledgements. */
const receiveBuffer = Buffer.alloc(256 * 1024);
const dumpAttempts = 10;

export interface NetlinkSocketOptions {
  /** File descriptor of the network namespace to open the socket in; the process's own when absent. */
  readonly namespace?: number;
  /** How much may wait unread, as a limit; 64 MiB when absent. */
  readonly receiveBufferBytes?: number;
}

/** What came of a request. */
export interface NetlinkOutcome {
  /** One per refused message, in the order in which the kernel reported them. */
  readonly faults: readonly NetlinkFault[];
  /** Messages other than acknowledgements, copied. */
  readonly replies: readonly NetlinkMessage[];
}

export class NetlinkSocket implements Disposable {
  /** For pollers. The socket stays its owner. */
  readonly fd: number;
  readonly #protocol: number;
  #sequence = 0;
  #bound = false;
  #closed = false;
  #sending = false;

  private constructor(fd: number, protocol: number) {
    this.fd = fd;
    this.#protocol = protocol;
  }

  /** @param protocol netlinkRoute or netlinkNetfilter @throws KernelError when the kernel refuses */
  static open(
    protocol: number,
    { namespace, receiveBufferBytes = bufferBytes }: NetlinkSocketOptions = {},
  ): NetlinkSocket {
    const open = (): number =>
      checked(
        c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol),
        `Cannot open a netlink socket of protocol ${protocol}`,
      );
    const socket = new NetlinkSocket(
      namespace === undefined ? open() : inNamespace(namespace, open),
      protocol,
    );
    try {
      socket.#setOption(SOL_SOCKET, SO_SNDBUFFORCE, bufferBytes);
      socket.#setOption(SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes);
      socket.#setOption(SOL_NETLINK, NETLINK_CAP_ACK, 1);
      socket.#setOption(SOL_NETLINK, NETLINK_EXT_ACK, 1);
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Another socket of the same protocol in the same namespace, for requests that are to run beside this one's. */
  sibling(): NetlinkSocket {
    const namespace = checked(
      c.ioctl(this.fd, SIOCGSKNS, 0),
      'Cannot tell the network namespace of a netlink socket',
    );
    try {
      return NetlinkSocket.open(this.#protocol, { namespace });
    } finally {
      c.close(namespace);
    }
  }

  /** A number for the next message, unsigned 32 bits, never 0: the kernel uses 0 for what nobody asked for. */
  nextSequence(): number {
    this.#sequence = this.#sequence === 0xffffffff ? 1 : this.#sequence + 1;
    return this.#sequence;
  }

  /** The socket's address, which the kernel chooses with the first message; 0 until then. */
  get port(): number {
    const address = Buffer.alloc(sockaddrBytes);
    checked(c.getsockname(this.fd, address, [sockaddrBytes]), 'Cannot tell the port of a netlink socket');
    return address.readUInt32LE(4);
  }

  /** Keeps from this socket whatever a socket of that port has caused: a classic BPF program on nlmsg_pid, in network order. */
  ignoreWhatIsCausedBy(port: number): void {
    const nlmsgPidOffset = 12;
    const inNetworkOrder = Buffer.alloc(4);
    inNetworkOrder.writeUInt32LE(port);
    // struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; }
    const program = Buffer.alloc(4 * 8);
    const instruction = (at: number, code: number, jt: number, jf: number, k: number) => {
      program.writeUInt16LE(code, at * 8);
      program.writeUInt8(jt, at * 8 + 2);
      program.writeUInt8(jf, at * 8 + 3);
      program.writeUInt32LE(k, at * 8 + 4);
    };
    instruction(0, BPF_LD_W_ABS, 0, 0, nlmsgPidOffset);
    instruction(1, BPF_JEQ_K, 0, 1, inNetworkOrder.readUInt32BE());
    instruction(2, BPF_RET_K, 0, 0, 0);
    instruction(3, BPF_RET_K, 0, 0, 0xffffffff);
    attachFilter(this.fd, program);
  }

  /** Joins a multicast group; a socket that listens should do nothing else. */
  join(group: number): void {
    if (!this.#bound) {
      // Without an address of its own the socket would pass for the kernel's, which is not told what it does itself.
      const address = Buffer.alloc(sockaddrBytes);
      address.writeUInt16LE(AF_NETLINK);
      checked(c.bind(this.fd, address, address.length), 'Cannot bind a netlink socket');
      this.#bound = true;
    }
    this.#setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
  }

  /**
   * Sends messages in one call and gathers what the kernel answered. The kernel handles them in order; an rtnetlink request
   * goes on past a message that fails.
   * @throws KernelError when the kernel takes none of them
   */
  request(messages: Buffer): NetlinkOutcome {
    this.#assertIdle();
    checked(
      c.send(this.fd, messages, messages.length, 0),
      `Cannot send ${messages.length} bytes of netlink messages`,
    );
    return this.#gather();
  }

  /** As `request`, off the main thread, for what waits in the kernel. The socket takes no other request meanwhile. */
  async requestAsync(messages: Buffer): Promise<NetlinkOutcome> {
    this.#assertIdle();
    this.#sending = true;
    try {
      const sent = await new Promise<number>((resolve, reject) => {
        c.send.async(this.fd, messages, messages.length, 0, (error: unknown, result: number) => {
          if (error) reject(error);
          else resolve(result);
        });
      });
      checked(sent, `Cannot send ${messages.length} bytes of netlink messages`);
      return this.#gather();
    } finally {
      this.#sending = false;
    }
  }

  /**
   * Asks for all objects of a kind, and again from the start when they changed meanwhile.
   * @param message one message; the flags that make it a dump are set here
   * @param decode called per object with bytes that are only valid meanwhile; what it returns as undefined is left out
   * @param what for the error: "Cannot list ..."
   * @throws KernelError when the kernel refuses, or EAGAIN when the objects never hold still
   */
  dump<T>(message: Buffer, decode: (message: NetlinkMessage) => T | undefined, what: string): T[] {
    this.#assertIdle();
    message.writeUInt16LE(message.readUInt16LE(6) | nlmRequest | nlmDump, 6);
    for (let attempt = 0; attempt < dumpAttempts; attempt++) {
      const objects = this.#dumpOnce(message, decode, what);
      if (objects) return objects;
    }
    throw new KernelError(what, errno.EAGAIN, `interrupted ${dumpAttempts} times by changes`);
  }

  /** Returns undefined when the dump was interrupted by a change. */
  #dumpOnce<T>(
    message: Buffer,
    decode: (message: NetlinkMessage) => T | undefined,
    what: string,
  ): T[] | undefined {
    const sequence = this.nextSequence();
    message.writeUInt32LE(sequence, 8);
    checked(c.send(this.fd, message, message.length, 0), what);
    const objects: T[] = [];
    let interrupted = false;
    let fault: NetlinkFault | undefined;
    for (let done = false; !done; ) {
      const datagram = this.receive();
      if (!datagram) throw new KernelError(what, errno.EAGAIN, 'the kernel did not end its answer');
      eachMessage(datagram, (part) => {
        if (part.sequence !== sequence) return;
        if (part.flags & nlmDumpInterrupted) interrupted = true;
        if (part.type === nlmsgDone || part.type === nlmsgError) {
          done = true;
          fault = part.type === nlmsgDone ? readDumpFault(part) : readFault(part);
        } else {
          const object = decode(part);
          if (object !== undefined) objects.push(object);
        }
      });
    }
    if (fault) throw faultError(what, fault);
    return interrupted ? undefined : objects;
  }

  /**
   * The next datagram, in a buffer that the next call overwrites; undefined when there is none now.
   * @throws KernelError ENOBUFS when the kernel had to drop some
   */
  receive(): Buffer | undefined {
    const length = c.recv(this.fd, receiveBuffer, receiveBuffer.length, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0) {
      if (lastErrno() === errno.EAGAIN) return undefined;
      throw new KernelError('Cannot receive from a netlink socket', lastErrno());
    }
    if (length > receiveBuffer.length) {
      throw new RangeError(
        `A netlink datagram of ${length} bytes does not fit the buffer of ${receiveBuffer.length}`,
      );
    }
    return receiveBuffer.subarray(0, length);
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    c.close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #gather(): NetlinkOutcome {
    const faults: NetlinkFault[] = [];
    const replies: NetlinkMessage[] = [];
    for (let datagram = this.receive(); datagram; datagram = this.receive()) {
      eachMessage(datagram, (message) => {
        if (message.type === nlmsgError) {
          const fault = readFault(message);
          if (fault) faults.push(fault);
        } else replies.push({ ...message, payload: Buffer.from(message.payload) });
      });
    }
    return { faults, replies };
  }

  #assertIdle(): void {
    if (this.#closed) throw new Error('Cannot use a netlink socket that is closed');
    if (this.#sending)
      throw new Error('Cannot use a netlink socket while an asynchronous request is under way');
  }

  #setOption(level: number, name: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    checked(
      c.setsockopt(this.fd, level, name, bytes, bytes.length),
      `Cannot set option ${level}/${name} of a netlink socket to ${value}`,
    );
  }
}
