// Neighbours, which are IP addresses on a link with their MAC addresses, and a link's forwarding entries (FDB), which are MAC
// addresses with the tunnel endpoints behind them. Both are one message to the kernel. Source: linux/neighbour.h.
//
//   struct ndmsg   0        1         4            8       10      11     12
//                  | family | padding | link index | state | flags | type | attributes ...
import { Attributes, type MessageWriter, type NetlinkMessage } from '../netlink/index.ts';
import {
  AF_BRIDGE,
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  inetBytes,
  inetFamily,
  inetText,
} from '../netlink/inet-address.ts';
import { addition, type Change, removal, replacement } from './change.ts';
import { macBytes, macText } from './mac-address.ts';

export const rtmNewNeighbour = 28;
export const rtmDeleteNeighbour = 29;
export const rtmGetNeighbour = 30;

const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;
const NTF_SELF = 0x2;
const NTF_PROXY = 0x8;

export interface Neighbour {
  /** Index of the link. */
  readonly link: number;
  /** Canonical text. */
  readonly address: string;
  /** Absent for a proxy entry, and while the kernel is still asking. */
  readonly mac?: string;
  /** Stays until it is deleted; what the kernel has learnt does not. */
  readonly permanent: boolean;
  /** This host answers on the link for the address, in another's place. */
  readonly proxy: boolean;
}

/** A permanent neighbour. */
export type NewNeighbour = Pick<Neighbour, 'link' | 'address'> & { readonly mac: string };

/** Frames to `mac` go to `destination`, through a tunnel link. */
export interface ForwardingEntry {
  /** Index of the link. */
  readonly link: number;
  readonly mac: string;
  /** Address of the tunnel's other end; absent for entries of a bridge. */
  readonly destination?: string;
  readonly permanent: boolean;
}

export type NewForwardingEntry = Pick<ForwardingEntry, 'link' | 'mac'> & { readonly destination: string };

export function addNeighbour(neighbour: NewNeighbour): Change {
  return addition(rtmNewNeighbour, neighbourText(neighbour), (writer) => writeNeighbour(writer, neighbour));
}

/** Makes the neighbour permanent with this MAC address, whatever was known of it. */
export function replaceNeighbour(neighbour: NewNeighbour): Change {
  return replacement(rtmNewNeighbour, neighbourText(neighbour), (writer) =>
    writeNeighbour(writer, neighbour),
  );
}

export function deleteNeighbour(neighbour: Pick<Neighbour, 'link' | 'address'>): Change {
  return removal(rtmDeleteNeighbour, neighbourText(neighbour), (writer) => writeNeighbour(writer, neighbour));
}

/** Makes this host answer for an address on a link. */
export function addProxyNeighbour(neighbour: Pick<Neighbour, 'link' | 'address'>): Change {
  return addition(rtmNewNeighbour, `proxy ${neighbourText(neighbour)}`, (writer) =>
    writeNeighbour(writer, neighbour, NTF_PROXY),
  );
}

export function deleteProxyNeighbour(neighbour: Pick<Neighbour, 'link' | 'address'>): Change {
  return removal(rtmDeleteNeighbour, `proxy ${neighbourText(neighbour)}`, (writer) =>
    writeNeighbour(writer, neighbour, NTF_PROXY),
  );
}

export function replaceForwardingEntry(entry: NewForwardingEntry): Change {
  return replacement(rtmNewNeighbour, entryText(entry), (writer) => writeForwardingEntry(writer, entry));
}

export function deleteForwardingEntry(entry: Omit<ForwardingEntry, 'permanent'>): Change {
  return removal(rtmDeleteNeighbour, entryText(entry), (writer) => writeForwardingEntry(writer, entry));
}

export function writeNeighbour(
  writer: MessageWriter,
  { link, address, mac }: Pick<Neighbour, 'link' | 'address' | 'mac'>,
  flags = 0,
): void {
  writeHeader(writer, inetFamily(address), link, NUD_PERMANENT, flags);
  writer.bytes(NDA_DST, inetBytes(address));
  if (mac !== undefined) writer.bytes(NDA_LLADDR, macBytes(mac));
}

export function writeForwardingEntry(
  writer: MessageWriter,
  { link, mac, destination }: Omit<ForwardingEntry, 'permanent'>,
): void {
  writeHeader(writer, AF_BRIDGE, link, NUD_PERMANENT, NTF_SELF);
  writer.bytes(NDA_LLADDR, macBytes(mac));
  if (destination !== undefined) writer.bytes(NDA_DST, inetBytes(destination));
}

/** The body of RTM_GETNEIGH for what the three listings are of. */
export function writeNeighbourQuery(
  writer: MessageWriter,
  of: 'neighbours' | 'proxies' | 'forwarding entries',
): void {
  writeHeader(
    writer,
    of === 'forwarding entries' ? AF_BRIDGE : AF_UNSPEC,
    0,
    0,
    of === 'proxies' ? NTF_PROXY : 0,
  );
}

/** Undefined for a message about a forwarding entry. */
export function decodeNeighbour({ payload }: NetlinkMessage): Neighbour | undefined {
  const attributes = new Attributes(payload, 12);
  const address = attributes.bytes(NDA_DST);
  if ((payload[0] !== AF_INET && payload[0] !== AF_INET6) || !address) return undefined;
  const mac = macText(attributes.bytes(NDA_LLADDR));
  return {
    link: payload.readInt32LE(4),
    address: inetText(address),
    ...(mac !== undefined && { mac }),
    permanent: (payload.readUInt16LE(8) & NUD_PERMANENT) !== 0,
    proxy: ((payload[10] ?? 0) & NTF_PROXY) !== 0,
  };
}

/** Undefined for a message about a neighbour. */
export function decodeForwardingEntry({ payload }: NetlinkMessage): ForwardingEntry | undefined {
  const attributes = new Attributes(payload, 12);
  const mac = macText(attributes.bytes(NDA_LLADDR));
  if (payload[0] !== AF_BRIDGE || mac === undefined) return undefined;
  const destination = attributes.bytes(NDA_DST);
  return {
    link: payload.readInt32LE(4),
    mac,
    ...(destination && { destination: inetText(destination) }),
    permanent: (payload.readUInt16LE(8) & NUD_PERMANENT) !== 0,
  };
}

function writeHeader(
  writer: MessageWriter,
  family: number,
  link: number,
  state: number,
  flags: number,
): void {
  writer.headerU32(family).headerU32(link).headerU16(state).headerU8(flags).headerU8(0);
}

function neighbourText({ link, address }: Pick<Neighbour, 'link' | 'address'>): string {
  return `neighbour ${address} on link ${link}`;
}

function entryText({ link, mac, destination }: Omit<ForwardingEntry, 'permanent'>): string {
  return `forwarding entry ${mac}${destination === undefined ? '' : ` to ${destination}`} on link ${link}`;
}
