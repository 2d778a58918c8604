// Where a socket is or sends to, as the kernel's structures: struct sockaddr_in and sockaddr_in6. Source: ip(7), ipv6(7).
//
//   0        2           4               8                  24         28
//   | family | port (be) | IPv4 address  | eight zeros |                        sockaddr_in, 16 bytes
//   | family | port (be) | flow label    | IPv6 address     | scope id |        sockaddr_in6, 28 bytes
import { AF_INET, AF_INET6, inetBytes, inetText } from '../netlink/inet-address.ts';

/** The longer of the two. */
export const socketAddressBytes = 28;

export interface SocketAddress {
  /** Canonical text. */
  readonly address: string;
  /** 0 asks the kernel to choose one; raw sockets have none and say 0. */
  readonly port: number;
}

/** @throws RangeError when the address is none, or the port is not of 16 bits */
export function encodeSocketAddress({ address, port }: SocketAddress): Buffer {
  const bytes = inetBytes(address);
  const encoded = Buffer.alloc(bytes.length === 4 ? 16 : socketAddressBytes);
  encoded.writeUInt16LE(bytes.length === 4 ? AF_INET : AF_INET6, 0);
  encoded.writeUInt16BE(port, 2);
  encoded.set(bytes, bytes.length === 4 ? 4 : 8);
  return encoded;
}

/** @throws RangeError when it is of another family than IPv4 and IPv6 */
export function decodeSocketAddress(encoded: Buffer): SocketAddress {
  const family = encoded.readUInt16LE(0);
  const port = encoded.readUInt16BE(2);
  if (family === AF_INET) return { address: inetText(encoded.subarray(4, 8)), port };
  if (family === AF_INET6) return { address: inetText(encoded.subarray(8, 24)), port };
  throw new RangeError(`A socket address of family ${family} is neither IPv4 nor IPv6`);
}
