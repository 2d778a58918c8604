// Waits on sockets and blocks the thread meanwhile: for a process that does nothing else, such as a prober.
// A process with an event loop uses the poller instead.
import { c, checked, errno, lastErrno } from '../ffi.ts';

const POLLIN = 0x1;
const pollfdBytes = 8;

/**
 * The sockets that have something to read or accept, or have failed, after waiting `timeoutMs` at most for the first
 * (-1: for ever, 0: not at all). None when the time is up, or a signal came.
 *
 *   struct pollfd { int fd; short events; short revents; }
 */
export function pollReadable<S extends { readonly fd: number }>(
  sockets: readonly S[],
  timeoutMs: number,
): S[] {
  const encoded = Buffer.alloc(sockets.length * pollfdBytes);
  for (const [index, { fd }] of sockets.entries()) {
    encoded.writeInt32LE(fd, index * pollfdBytes);
    encoded.writeInt16LE(POLLIN, index * pollfdBytes + 4);
  }
  const count = c.poll(encoded, sockets.length, timeoutMs);
  if (count < 0 && lastErrno() === errno.EINTR) return [];
  checked(count, `Cannot wait on ${sockets.length} sockets`);
  return count === 0 ? [] : sockets.filter((_, index) => encoded.readInt16LE(index * pollfdBytes + 6) !== 0);
}
