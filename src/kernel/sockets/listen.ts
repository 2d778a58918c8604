// A listening TCP socket for Node's own servers in another network namespace. `server.listen(port)` between two setns calls
// would land in the wrong one, because Node makes the socket later.
import { familyOf } from '../../net/index.ts';
import { InetSocket } from './inet-socket.ts';
import type { SocketAddress } from './socket-address.ts';

/**
 * Makes a socket in a namespace, bound and listening. Returns its file descriptor, for `server.listen({fd})`, which owns it from
 * then on. @throws KernelError EADDRINUSE, EADDRNOTAVAIL
 */
export function listenInNamespace(namespace: number, address: SocketAddress): number {
  const family = familyOf(address.address);
  const socket = InetSocket.open({ type: 'stream', family, namespace });
  try {
    socket.bind(address);
    socket.listen(511);
    return socket.fd;
  } catch (error) {
    socket.close();
    throw error;
  }
}
