// Internet sockets in any network namespace.
export { InetSocket, type InetSocketOptions } from './inet-socket.ts';
export { listenInNamespace } from './listen.ts';
export { pollReadable } from './poll-readable.ts';
export type { SocketAddress } from './socket-address.ts';
