// Tells when a descriptor has something to read, from Node's own event loop: no thread waits, no timer runs.
import koffi from 'koffi';

export interface Watch extends Disposable {
  /** Ends the watch; the descriptor may be closed thereafter, and not before. May be called more than once. */
  close(): void;
}

/**
 * Calls `ready` whenever the descriptor can be read, again and again as long as it can. The watch keeps the process alive until
 * it is closed. What `ready` throws is an uncaught exception.
 */
export function onReadable(fd: number, ready: () => void): Watch {
  let closed = false;
  // Called with libuv's status first, unlike koffi's types say.
  const polled = (...[status]: unknown[]): void => {
    // The callback comes straight from libuv: promises that it settles would wait for the next event of Node's own.
    // An immediate runs in the same turn of the loop, as one of those.
    setImmediate(() => {
      if (closed) return;
      ready();
      // libuv gives up on a descriptor with an error on it. A netlink socket that has lost messages is such a one, and goes on.
      if (typeof status === 'number' && status < 0 && !closed) handle.start({ readable: true }, polled);
    });
  };
  const handle = koffi.node.poll(fd, { readable: true }, polled);
  const close = (): void => {
    if (closed) return;
    closed = true;
    handle.close();
  };
  return { close, [Symbol.dispose]: close };
}
