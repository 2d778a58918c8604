// CIDR blocks as integers, IPv4 and IPv6 alike.
import { type Address, bitsOf, type Family, formatAddress, tryParseAddress } from './address.ts';

export interface Cidr {
  readonly family: Family;
  /** First address of the block; host bits are zero. */
  readonly network: bigint;
  /** Prefix length, 0 to 32 or 128. */
  readonly length: number;
}

/** @throws RangeError when the text is not a CIDR. Host bits are cleared, as the kernel does with a route. */
export function parseCidr(text: string): Cidr {
  const cidr = tryParseCidr(text);
  if (!cidr) throw new RangeError(`"${text}" is not a CIDR`);
  return cidr;
}

/** Returns undefined when the text is not "address/length". */
export function tryParseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = tryParseAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (!address || !/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > bitsOf(address.family)) {
    return undefined;
  }
  return cidrOf(address, Number(length));
}

/** As `tryParseCidr`, and a bare address is a block of one. */
export function tryParseNet(text: string): Cidr | undefined {
  if (text.includes('/')) return tryParseCidr(text);
  const address = tryParseAddress(text);
  return address && cidrOf(address, bitsOf(address.family));
}

/** The block of that length around an address. */
export function cidrOf(address: Address, length: number): Cidr {
  const hostBits = BigInt(bitsOf(address.family) - length);
  return { family: address.family, network: (address.value >> hostBits) << hostBits, length };
}

/** "10.0.0.0/8". */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress({ family: cidr.family, value: cidr.network })}/${cidr.length}`;
}

/** Number of addresses. */
export function cidrSize(cidr: Cidr): bigint {
  return 1n << BigInt(bitsOf(cidr.family) - cidr.length);
}

export function lastAddressOf(cidr: Cidr): Address {
  return { family: cidr.family, value: cidr.network + cidrSize(cidr) - 1n };
}

/** The address `offset` after the first. @throws RangeError when that is outside of the block. */
export function addressAt(cidr: Cidr, offset: bigint): Address {
  if (offset < 0n || offset >= cidrSize(cidr)) {
    throw new RangeError(`${formatCidr(cidr)} has no address at offset ${offset}`);
  }
  return { family: cidr.family, value: cidr.network + offset };
}

export function cidrContains(cidr: Cidr, address: Address): boolean {
  const hostBits = BigInt(bitsOf(cidr.family) - cidr.length);
  return cidr.family === address.family && address.value >> hostBits === cidr.network >> hostBits;
}

/** Whether two blocks share an address: blocks nest or are apart, never anything between. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  const wider = a.length <= b.length ? a : b;
  const narrower = wider === a ? b : a;
  return cidrContains(wider, { family: narrower.family, value: narrower.network });
}
