// IP addresses as integers, IPv4 and IPv6 alike: text and bytes in, text and bytes out.
// Text follows RFC 4291 section 2.2 for reading and RFC 5952 for writing. Zones ("%eth0") are not part of an address.

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  /** Unsigned, in network order: 10.0.0.1 is 0x0a000001n. */
  readonly value: bigint;
}

/** Bits of an address: 32 or 128. */
export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Of which family an address or a block is, by its text, which is one or the other. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4;
}

/** @throws RangeError when the text is not an IPv4 or IPv6 address. */
export function parseAddress(text: string): Address {
  const address = tryParseAddress(text);
  if (!address) throw new RangeError(`"${text}" is not an IP address`);
  return address;
}

/** Returns undefined when the text is not an address. IPv4 octets with leading zeros are refused: readers disagree about them. */
export function tryParseAddress(text: string): Address | undefined {
  if (text.includes(':')) {
    const value = parseIPv6(text);
    return value === undefined ? undefined : { family: 6, value };
  }
  const value = parseIPv4(text);
  return value < 0 ? undefined : { family: 4, value: BigInt(value) };
}

export function formatAddress(address: Address): string {
  return address.family === 4 ? formatIPv4(Number(address.value)) : formatIPv6(address.value);
}

/** The one way to write the address that a text stands for; undefined when it stands for none. */
export function canonicalAddress(text: string): string | undefined {
  const address = tryParseAddress(text);
  return address && formatAddress(address);
}

/** 4 or 16 bytes, network order. */
export function addressBytes(address: Address): Uint8Array {
  return integerBytes(address.value, address.family === 4 ? 4 : 16);
}

/** @throws RangeError when there are neither 4 nor 16 bytes. */
export function addressFromBytes(bytes: Uint8Array): Address {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`${bytes.length} bytes are not an IP address`);
  }
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { family: bytes.length === 4 ? 4 : 6, value };
}

function integerBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Returns -1 when the text is not four decimal octets. Hand-written because every pod of a cluster passes here. */
function parseIPv4(text: string): number {
  let value = 0;
  let octet = -1;
  let octets = 0;
  let digits = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 46;
    if (code === 46) {
      if (octet < 0 || octet > 255) return -1;
      value = value * 256 + octet;
      octets++;
      octet = -1;
      digits = 0;
    } else if (code >= 48 && code <= 57) {
      if (octet === 0 || ++digits > 3) return -1;
      octet = Math.max(octet, 0) * 10 + code - 48;
    } else return -1;
  }
  return octets === 4 ? value : -1;
}

function formatIPv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of [...head, ...new Array<number>(missing).fill(0), ...tail]) {
    value = (value << 16n) | BigInt(group);
  }
  return value;
}

/** Sixteen-bit groups of one side of "::"; an IPv4 tail counts as two. Returns undefined when they are malformed. */
function parseGroups(text: string, mayEndInIPv4: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const value = mayEndInIPv4 && index === parts.length - 1 ? parseIPv4(part) : -1;
      if (value < 0) return undefined;
      groups.push(Math.floor(value / 65536), value % 65536);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function formatIPv6(value: bigint): string {
  // RFC 5952 section 5 keeps the dotted form for IPv4-mapped addresses.
  if (value >> 32n === 0xffffn) return `::ffff:${formatIPv4(Number(value & 0xffffffffn))}`;
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.map((group) => group.toString(16)).join(':');
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** The first longest run of zero groups. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
