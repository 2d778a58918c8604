// Values as they stand in the kernel's registers: addresses and ports in network order, marks in the host's.
import { endianness } from 'node:os';
import { addressBytes, bitsOf, type Cidr, parseAddress } from '../../net/index.ts';

export function networkU16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

export function hostU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, endianness() === 'LE');
  return bytes;
}

/** What `hostU32` wrote. */
export function readHostU32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, endianness() === 'LE');
}

/** 16 bytes, NUL-padded, as the kernel compares interface names. */
export function interfaceNameBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(Buffer.from(name, 'latin1').subarray(0, 15));
  return bytes;
}

export function netmaskBytes({ family, length }: Cidr): Uint8Array {
  const bits = bitsOf(family);
  return addressBytes({ family, value: ((1n << BigInt(length)) - 1n) << BigInt(bits - length) });
}

export function networkBytes({ family, network }: Cidr): Uint8Array {
  return addressBytes({ family, value: network });
}

/** An element of a concatenated set: every part is padded to four bytes. */
export function concatenation(...parts: readonly Uint8Array[]): Uint8Array {
  const padded = parts.map((part) => Buffer.concat([part], Math.ceil(part.length / 4) * 4));
  return new Uint8Array(Buffer.concat(padded));
}

/** The key of a member of one of calc's sets: "10.0.0.1", or "10.0.0.1,6,80" for address, protocol and port. */
export function memberKey(member: string): Uint8Array {
  const [text = '', protocol, port] = member.split(',');
  const address = addressBytes(parseAddress(text));
  if (protocol === undefined || port === undefined) return address;
  return concatenation(address, Uint8Array.of(Number(protocol)), networkU16(Number(port)));
}
