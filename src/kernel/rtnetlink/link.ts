// Network links as the kernel lists them. Source: linux/rtnetlink.h (struct ifinfomsg), linux/if_link.h (IFLA_*).
//
//   struct ifinfomsg   0        1     2             4       8       12       16
//                      | family | pad | device type | index | flags | change | attributes ...
import { Attributes, type MessageWriter, type NetlinkMessage } from '../netlink/index.ts';
import { inetText } from '../netlink/inet-address.ts';
import { macText } from './mac-address.ts';

export const rtmNewLink = 16;
export const rtmDeleteLink = 17;
export const rtmGetLink = 18;
export const rtmSetLink = 19;

/** IFLA_*: attributes of a link. */
export const ifla = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  info: 18,
  infoKind: 1,
  infoData: 2,
  alias: 20,
  group: 27,
  namespaceFd: 28,
  extensionMask: 29,
  txQueues: 31,
  rxQueues: 32,
} as const;

/** IFLA_VXLAN_*. */
export const iflaVxlan = { id: 1, link: 3, local: 4, learning: 7, port: 15, local6: 17 } as const;

export const IFF_UP = 0x1;
const IFF_LOWER_UP = 0x10000;
/** Asks for links without their statistics, which are most of a listing. */
const RTEXT_FILTER_SKIP_STATS = 0x8;

/** A link by its index or its name. */
export type LinkReference = number | string;

export interface Vxlan {
  /** VXLAN network identifier, 24 bits. */
  readonly vni: number;
  readonly port: number;
  /** Source address of the tunnel's packets. */
  readonly local?: string;
  /** Index of the link that carries the tunnel's packets. */
  readonly parent?: number;
  /** Whether forwarding entries are learnt from traffic. */
  readonly learning: boolean;
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly mtu: number;
  /** Absent where the link has no Ethernet address. */
  readonly mac?: string;
  /** What the administrator wants. */
  readonly up: boolean;
  /** What is the case: the cable is in, or the other end is up. */
  readonly carrier: boolean;
  /** "veth", "bridge", "vxlan" ...; absent for hardware and loopback. */
  readonly kind?: string;
  /** Index of the bridge that the link is a port of. */
  readonly master?: number;
  /** Index of a veth's other end, which may be in another namespace. */
  readonly peer?: number;
  readonly group: number;
  /** A note that the kernel keeps with the link, whoever reads it. */
  readonly alias?: string;
  readonly vxlan?: Vxlan;
}

export function writeLinkHeader(writer: MessageWriter, index: number, flags = 0, change = 0): MessageWriter {
  return writer.headerU32(0).headerU32(index).headerU32(flags).headerU32(change);
}

/** The header and, for a link known by name, its name. */
export function writeLinkReference(writer: MessageWriter, link: LinkReference, flags = 0, change = 0): void {
  if (typeof link === 'number') writeLinkHeader(writer, link, flags, change);
  else writeLinkHeader(writer, 0, flags, change).string(ifla.name, link);
}

/** The body of RTM_GETLINK for one link, or for all when there is none. */
export function writeLinkQuery(writer: MessageWriter, link?: LinkReference): void {
  writeLinkReference(writer, link ?? 0);
  writer.u32(ifla.extensionMask, RTEXT_FILTER_SKIP_STATS);
}

/** For errors. */
export function linkText(link: LinkReference): string {
  return typeof link === 'number' ? `link ${link}` : `link "${link}"`;
}

/** Reads RTM_NEWLINK and RTM_DELLINK. Undefined for what a bridge or IPv6 says about a link of theirs, which is another matter. */
export function decodeLink({ payload }: NetlinkMessage): Link | undefined {
  if (payload[0] !== 0) return undefined;
  const attributes = new Attributes(payload, 16);
  const flags = payload.readUInt32LE(8);
  const mac = macText(attributes.bytes(ifla.address));
  const master = attributes.u32(ifla.master);
  const info = attributes.nested(ifla.info);
  const kind = info?.string(ifla.infoKind);
  const alias = attributes.string(ifla.alias);
  const peer = kind === 'veth' ? attributes.u32(ifla.link) : undefined;
  const vxlan = kind === 'vxlan' ? decodeVxlan(info?.nested(ifla.infoData)) : undefined;
  return {
    index: payload.readInt32LE(4),
    name: attributes.string(ifla.name) ?? '',
    mtu: attributes.u32(ifla.mtu) ?? 0,
    ...(mac !== undefined && { mac }),
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    ...(kind !== undefined && { kind }),
    ...(master !== undefined && { master }),
    ...(peer !== undefined && { peer }),
    group: attributes.u32(ifla.group) ?? 0,
    ...(alias && { alias }),
    ...(vxlan && { vxlan }),
  };
}

function decodeVxlan(data: Attributes | undefined): Vxlan | undefined {
  if (!data) return undefined;
  const local = data.bytes(iflaVxlan.local) ?? data.bytes(iflaVxlan.local6);
  const parent = data.u32(iflaVxlan.link);
  return {
    vni: data.u32(iflaVxlan.id) ?? 0,
    port: data.u16be(iflaVxlan.port) ?? 0,
    // An unset source is listed as the unspecified address by some kernels, and left out by others.
    ...(local?.some((byte) => byte !== 0) && { local: inetText(local) }),
    ...(parent !== undefined && { parent }),
    learning: data.u8(iflaVxlan.learning) === 1,
  };
}
