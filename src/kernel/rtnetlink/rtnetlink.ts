// Links, addresses, routes and neighbours of one network namespace: sends changes and lists what is there.
// Remembers nothing; drivers above compare what should be with what is.
import { errno, errnoName, KernelError } from '../ffi.ts';
import {
  faultError,
  MessageWriter,
  type NetlinkMessage,
  type NetlinkOutcome,
  NetlinkSocket,
  type NetlinkSocketOptions,
  netlinkRoute,
  nlmRequest,
} from '../netlink/index.ts';
import { decodeAddress, type LinkAddress, rtmGetAddress } from './address.ts';
import { type Change, writeChange } from './change.ts';
import { decodeLink, type Link, type LinkReference, linkText, rtmGetLink, writeLinkQuery } from './link.ts';
import {
  decodeForwardingEntry,
  decodeNeighbour,
  type ForwardingEntry,
  type Neighbour,
  rtmGetNeighbour,
  writeNeighbourQuery,
} from './neighbour.ts';
import { decodeRoute, type Route, rtmGetRoute } from './route.ts';
import { SocketPool } from './socket-pool.ts';

/** A change that the kernel refused, of several that were sent together. */
export interface RefusedChange {
  readonly change: Change;
  readonly error: KernelError;
}

export class Rtnetlink implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #pool: SocketPool;
  readonly #writer = new MessageWriter();

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
    this.#pool = new SocketPool(() => socket.sibling());
  }

  /** Opens a socket in a namespace, whose descriptor may be closed thereafter. */
  static open(options: NetlinkSocketOptions = {}): Rtnetlink {
    return new Rtnetlink(NetlinkSocket.open(netlinkRoute, options));
  }

  /** @throws KernelError when the kernel refuses; its code tells why */
  apply(change: Change): void {
    this.#writer.reset();
    writeChange(this.#writer, change, this.#socket.nextSequence());
    throwFault(change, this.#socket.request(this.#writer.finish()));
  }

  /** As `apply`, but returns false where there is nothing to change: what is to be added exists, what is to be deleted does not. */
  ensure(change: Change): boolean {
    try {
      this.apply(change);
      return true;
    } catch (error) {
      if (error instanceof KernelError && change.settled.includes(error.code)) return false;
      throw error;
    }
  }

  /** Applies a change off the main thread, for those that wait in the kernel. Returns as `ensure`. */
  async ensureAsync(change: Change): Promise<boolean> {
    const writer = new MessageWriter(256);
    writeChange(writer, change, this.#socket.nextSequence());
    const outcome = await this.#pool.use((socket) => socket.requestAsync(writer.finish()));
    const [fault] = outcome.faults;
    if (fault && change.settled.includes(errnoName(fault.errno))) return false;
    throwFault(change, outcome);
    return true;
  }

  /** Sends changes together, in order; one that is refused does not keep the next from being made. Returns the refused ones. */
  applyAll(changes: readonly Change[]): RefusedChange[] {
    if (changes.length === 0) return [];
    this.#writer.reset();
    const bySequence = new Map<number, Change>();
    for (const change of changes) {
      const sequence = this.#socket.nextSequence();
      bySequence.set(sequence, change);
      writeChange(this.#writer, change, sequence);
    }
    const refused: RefusedChange[] = [];
    for (const fault of this.#socket.request(this.#writer.finish()).faults) {
      const change = bySequence.get(fault.sequence);
      if (change) refused.push({ change, error: faultError(`Cannot ${change.what}`, fault) });
    }
    return refused;
  }

  /** As `applyAll`, without those where there was nothing to change. */
  ensureAll(changes: readonly Change[]): RefusedChange[] {
    return this.applyAll(changes).filter(({ change, error }) => !change.settled.includes(error.code));
  }

  /** Undefined when there is no such link. */
  link(reference: LinkReference): Link | undefined {
    this.#writer.reset();
    this.#writer.begin(rtmGetLink, nlmRequest, this.#socket.nextSequence());
    writeLinkQuery(this.#writer, reference);
    const { faults, replies } = this.#socket.request(this.#writer.end().finish());
    const [fault] = faults;
    if (fault?.errno === errno.ENODEV) return undefined;
    if (fault) throw faultError(`Cannot look up ${linkText(reference)}`, fault);
    return replies[0] && decodeLink(replies[0]);
  }

  links(): Link[] {
    return this.#list(rtmGetLink, 'links', (writer) => writeLinkQuery(writer), decodeLink);
  }

  /** Of both families. */
  addresses(): LinkAddress[] {
    return this.#list(
      rtmGetAddress,
      'addresses',
      (writer) => writer.headerU32(0).headerU32(0),
      decodeAddress,
    );
  }

  /** Of both families and of all tables. */
  routes(): Route[] {
    const write = (writer: MessageWriter) => writer.headerU32(0).headerU32(0).headerU32(0);
    return this.#list(rtmGetRoute, 'routes', write, decodeRoute);
  }

  /** Of both families, without proxy entries. */
  neighbours(): Neighbour[] {
    return this.#list(
      rtmGetNeighbour,
      'neighbours',
      (w) => writeNeighbourQuery(w, 'neighbours'),
      decodeNeighbour,
    );
  }

  proxyNeighbours(): Neighbour[] {
    return this.#list(
      rtmGetNeighbour,
      'proxy neighbours',
      (w) => writeNeighbourQuery(w, 'proxies'),
      decodeNeighbour,
    );
  }

  forwardingEntries(): ForwardingEntry[] {
    const write = (writer: MessageWriter) => writeNeighbourQuery(writer, 'forwarding entries');
    return this.#list(rtmGetNeighbour, 'forwarding entries', write, decodeForwardingEntry);
  }

  /** Asynchronous changes that are under way are not affected. */
  close(): void {
    this.#socket.close();
    this.#pool.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #list<T>(
    type: number,
    what: string,
    write: (writer: MessageWriter) => void,
    decode: (message: NetlinkMessage) => T | undefined,
  ): T[] {
    this.#writer.reset();
    this.#writer.begin(type, nlmRequest, 0);
    write(this.#writer);
    return this.#socket.dump(this.#writer.end().finish(), decode, `Cannot list ${what}`);
  }
}

function throwFault(change: Change, { faults: [fault] }: NetlinkOutcome): void {
  if (fault) throw faultError(`Cannot ${change.what}`, fault);
}
