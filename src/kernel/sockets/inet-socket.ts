// A socket of the internet families in any network namespace, for programs that have sockets in many at once. Nothing here
// waits: a call that cannot go on says so, and `pollReadable` or a poller tells when it can. Node's own sockets serve better
// wherever one namespace is enough.
import { c, checked, errno, KernelError, lastErrno } from '../ffi.ts';
import { inNamespace } from '../namespaces/in-namespace.ts';
import { AF_INET, AF_INET6 } from '../netlink/inet-address.ts';
import {
  decodeSocketAddress,
  encodeSocketAddress,
  type SocketAddress,
  socketAddressBytes,
} from './socket-address.ts';

const NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_LINGER = 13;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_NOSIGNAL = 0x4000;

/** Datagrams are 64 KiB at most; a stream is read in such pieces. */
const receiveBuffer = Buffer.alloc(65536);
const fromBuffer = Buffer.alloc(socketAddressBytes);

const types = { datagram: 2, stream: 1, raw: 3 } as const;

export interface InetSocketOptions {
  readonly family: 4 | 6;
  /**
   * A raw socket sends what goes behind the IP header; what it receives begins with that header for IPv4 and without it for
   * IPv6 (raw(7), RFC 3542 section 3).
   */
  readonly type: 'datagram' | 'stream' | 'raw';
  /** IP protocol number, which a raw socket must name (132 is SCTP); UDP and TCP when absent. */
  readonly protocol?: number;
  /** File descriptor of the namespace that the socket is to belong to; the process's own when absent. */
  readonly namespace?: number;
  /** How much may wait unread; the system's default when absent. */
  readonly receiveBufferBytes?: number;
}

interface Datagram {
  readonly data: Buffer;
  /** Its port is 0 for raw sockets. */
  readonly from: SocketAddress;
}

interface AcceptedConnection {
  readonly socket: InetSocket;
  readonly peer: SocketAddress;
}

export class InetSocket implements Disposable {
  readonly fd: number;
  readonly #type: InetSocketOptions['type'];
  #closed = false;

  private constructor(fd: number, type: InetSocketOptions['type']) {
    this.fd = fd;
    this.#type = type;
  }

  /** @throws KernelError when the kernel refuses */
  static open({ family, type, protocol = 0, namespace, receiveBufferBytes }: InetSocketOptions): InetSocket {
    const open = (): number =>
      checked(
        c.socket(family === 4 ? AF_INET : AF_INET6, types[type] | NONBLOCK_CLOEXEC, protocol),
        `Cannot open a ${type} socket for IPv${family}`,
      );
    const socket = new InetSocket(namespace === undefined ? open() : inNamespace(namespace, open), type);
    try {
      if (type === 'stream') socket.#setOption(SOL_SOCKET, SO_REUSEADDR, [1]);
      if (family === 6 && type !== 'raw') socket.#setOption(IPPROTO_IPV6, IPV6_V6ONLY, [1]);
      if (receiveBufferBytes !== undefined)
        socket.#setOption(SOL_SOCKET, SO_RCVBUFFORCE, [receiveBufferBytes]);
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** @throws KernelError EADDRINUSE, EADDRNOTAVAIL */
  bind(to: SocketAddress): void {
    const encoded = encodeSocketAddress(to);
    checked(c.bind(this.fd, encoded, encoded.length), `Cannot bind a ${this.#type} socket to ${textOf(to)}`);
  }

  /** Where the socket is bound to: tells the port that the kernel chose. */
  localAddress(): SocketAddress {
    const encoded = Buffer.alloc(socketAddressBytes);
    checked(
      c.getsockname(this.fd, encoded, [encoded.length]),
      `Cannot tell the address of a ${this.#type} socket`,
    );
    return decodeSocketAddress(encoded);
  }

  /** TCP: begins to take connections. */
  listen(backlog = 128): void {
    checked(c.listen(this.fd, backlog), `Cannot listen on a ${this.#type} socket`);
  }

  /** TCP: the next connection that waits, or undefined. @throws KernelError when accepting fails for another reason */
  accept(): AcceptedConnection | undefined {
    const fd = c.accept4(this.fd, fromBuffer, [fromBuffer.length], NONBLOCK_CLOEXEC);
    if (fd >= 0) return { socket: new InetSocket(fd, this.#type), peer: decodeSocketAddress(fromBuffer) };
    const reason = lastErrno();
    // A connection that was given up while it waited in the queue is not the listener's fault.
    if (reason === errno.EAGAIN || reason === errno.ECONNABORTED) return undefined;
    throw new KernelError(`Cannot accept a connection on a ${this.#type} socket`, reason);
  }

  /**
   * Connects. Returns false while a TCP handshake is under way: the socket turns writable when it is decided, and
   * `takeError` says how. @throws KernelError when the kernel refuses at once
   */
  connect(to: SocketAddress): boolean {
    const encoded = encodeSocketAddress(to);
    if (c.connect(this.fd, encoded, encoded.length) === 0) return true;
    if (lastErrno() === errno.EINPROGRESS) return false;
    throw new KernelError(`Cannot connect a ${this.#type} socket to ${textOf(to)}`, lastErrno());
  }

  /** The error that waits on the socket, taken off it; undefined when there is none. */
  takeError(): KernelError | undefined {
    const value = Buffer.alloc(4);
    checked(
      c.getsockopt(this.fd, SOL_SOCKET, SO_ERROR, value, [value.length]),
      `Cannot read the error of a ${this.#type} socket`,
    );
    const reason = value.readInt32LE(0);
    return reason === 0 ? undefined : new KernelError(`A ${this.#type} socket failed`, reason);
  }

  /** Sends to where the socket is connected. Returns how many bytes were taken; 0 when its buffer is full. */
  send(bytes: Uint8Array): number {
    return this.#sent(c.send(this.fd, bytes, bytes.length, MSG_NOSIGNAL), 'its peer');
  }

  /** Sends one datagram. Returns how many bytes were taken; 0 when the buffer is full. @throws KernelError ENETUNREACH, EPERM ... */
  sendTo(bytes: Uint8Array, to: SocketAddress): number {
    // A raw socket's port is not used; IPv6 refuses one that is not the protocol's number.
    const encoded = encodeSocketAddress(this.#type === 'raw' ? { ...to, port: 0 } : to);
    return this.#sent(
      c.sendto(this.fd, bytes, bytes.length, MSG_NOSIGNAL, encoded, encoded.length),
      textOf(to),
    );
  }

  /**
   * What was received next, copied; undefined when nothing is there. A stream that has ended gives no bytes.
   * @throws KernelError ECONNREFUSED, ECONNRESET ... as the other side or the network said
   */
  receive(): Buffer | undefined {
    return this.#received(c.recv(this.fd, receiveBuffer, receiveBuffer.length, 0));
  }

  /** The next datagram and who sent it; undefined when nothing is there. */
  receiveFrom(): Datagram | undefined {
    const data = this.#received(
      c.recvfrom(this.fd, receiveBuffer, receiveBuffer.length, 0, fromBuffer, [fromBuffer.length]),
    );
    return data && { data, from: decodeSocketAddress(fromBuffer) };
  }

  /** Makes `close` end a TCP connection at once, with a reset, so that it leaves nothing in TIME-WAIT. */
  resetOnClose(): void {
    this.#setOption(SOL_SOCKET, SO_LINGER, [1, 0]);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    c.close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #sent(length: number, to: string): number {
    if (length >= 0) return length;
    if (lastErrno() === errno.EAGAIN) return 0;
    throw new KernelError(`Cannot send from a ${this.#type} socket to ${to}`, lastErrno());
  }

  #received(length: number): Buffer | undefined {
    if (length < 0) {
      if (lastErrno() === errno.EAGAIN) return undefined;
      throw new KernelError(`Cannot receive from a ${this.#type} socket`, lastErrno());
    }
    return Buffer.from(receiveBuffer.subarray(0, length));
  }

  #setOption(level: number, name: number, values: readonly number[]): void {
    const bytes = Buffer.from(new Int32Array(values).buffer);
    checked(
      c.setsockopt(this.fd, level, name, bytes, bytes.length),
      `Cannot set option ${level}/${name} of a ${this.#type} socket`,
    );
  }
}

function textOf({ address, port }: SocketAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
