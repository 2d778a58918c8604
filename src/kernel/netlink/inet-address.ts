// Addresses as the kernel's messages carry them, to and from canonical text.
import { addressBytes, addressFromBytes, formatAddress, parseAddress } from '../../net/index.ts';

/** Address families as the kernel numbers them. Source: linux/socket.h. */
export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_BRIDGE = 7;
export const AF_INET6 = 10;

/** 4 or 16 bytes in network order. @throws RangeError when the text is not an address */
export function inetBytes(text: string): Uint8Array {
  return addressBytes(parseAddress(text));
}

/** Canonical text (RFC 5952) of 4 or 16 bytes in network order. */
export function inetText(bytes: Uint8Array): string {
  return formatAddress(addressFromBytes(bytes));
}

/** AF_INET or AF_INET6, by the look of an address or block in text. */
export function inetFamily(text: string): number {
  return text.includes(':') ? AF_INET6 : AF_INET;
}
