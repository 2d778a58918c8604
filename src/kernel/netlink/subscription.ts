// Listens to netlink multicast groups and hands on what was received, datagram by datagram, or that some was lost.
import { errno, KernelError } from '../ffi.ts';
import { onReadable, type Watch } from '../poller.ts';
import { eachMessage, type NetlinkMessage } from './messages.ts';
import type { NetlinkSocket } from './netlink-socket.ts';

/** Datagrams read in one turn of the event loop; the rest follows in the next. */
const datagramsPerTurn = 256;

export interface SubscriptionHandler<T> {
  /** Reads one message while its bytes last; undefined leaves it out. */
  decode(message: NetlinkMessage): T | undefined;
  /** What came, in order. */
  events(events: readonly T[]): void;
  /** The kernel dropped messages because they were not read in time: what is believed must be read afresh. */
  lost(): void;
}

/** Takes over a socket that has joined its groups, and closes it with the watch. */
export function subscribe<T>(socket: NetlinkSocket, handler: SubscriptionHandler<T>): Watch {
  let closed = false;
  const watch = onReadable(socket.fd, () => {
    for (let i = 0; i < datagramsPerTurn && !closed; i++) {
      // All is decoded before any is handled: a handler may use netlink itself, and receiving shares one buffer.
      const events: T[] = [];
      try {
        const datagram = socket.receive();
        if (!datagram) return;
        eachMessage(datagram, (message) => {
          const event = handler.decode(message);
          if (event !== undefined) events.push(event);
        });
      } catch (error) {
        if (!(error instanceof KernelError && error.errno === errno.ENOBUFS)) throw error;
        handler.lost();
        continue;
      }
      if (events.length > 0) handler.events(events);
    }
  });
  const close = (): void => {
    closed = true;
    watch.close();
    socket.close();
  };
  return { close, [Symbol.dispose]: close };
}
