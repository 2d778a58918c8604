// Connections as the kernel tracks them. Source: linux/netfilter/nfnetlink_conntrack.h (CTA_*). Integers are in network order.
//
//   struct nfgenmsg   0        1         2                 4
//                     | family | version | resource (be16) | attributes ...
//   CTA_TUPLE_ORIG { CTA_TUPLE_IP { source, destination }, CTA_TUPLE_PROTO { number, ports, or what ICMP has instead } }

import { Attributes, type NetlinkMessage } from '../netlink/index.ts';
import { AF_INET, inetText } from '../netlink/inet-address.ts';

/** CTA_*. */
export const cta = { original: 1, reply: 2, status: 3, mark: 8, id: 12, zone: 18, markMask: 21 } as const;

const tuple = { ip: 1, protocol: 2 } as const;
const ip = { source4: 1, destination4: 2, source6: 3, destination6: 4 } as const;
const protocol = {
  number: 1,
  sourcePort: 2,
  destinationPort: 3,
  icmpId: 4,
  icmpType: 5,
  icmpCode: 6,
  icmp6Id: 7,
  icmp6Type: 8,
  icmp6Code: 9,
} as const;

/** One direction of a connection. */
interface ConntrackTuple {
  readonly source: string;
  readonly destination: string;
  /** IP protocol number. */
  readonly protocol: number;
  /** Of protocols that have ports. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Of ICMP and ICMPv6. */
  readonly icmp?: { readonly id: number; readonly type: number; readonly code: number };
}

/** What the kernel is told to find an entry again. */
export interface ConntrackKey {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  /** The original tuple as it was listed: the value of CTA_TUPLE_ORIG. */
  readonly tuple: Buffer;
  readonly zone: number;
  /** Made from where the entry lies in memory: tells it from a later one with the same tuple mostly, not surely. */
  readonly id: number;
}

export interface ConntrackEntry {
  readonly key: ConntrackKey;
  readonly original: ConntrackTuple;
  readonly reply: ConntrackTuple;
  readonly mark: number;
  /** IPS_* bits: 0x2 a reply was seen, 0x4 it will not be evicted early, 0x8 it was let through. */
  readonly status: number;
}

/** Reads what a listing says, with addresses as text. Undefined for what is not of an internet family. */
export function decodeEntry(message: NetlinkMessage): ConntrackEntry | undefined {
  const attributes = attributesOf(message);
  const key = readKey(message, attributes);
  const original = decodeTuple(attributes.nested(cta.original));
  const reply = decodeTuple(attributes.nested(cta.reply));
  if (!key || !original || !reply) return undefined;
  return {
    key,
    original,
    reply,
    mark: attributes.u32be(cta.mark) ?? 0,
    status: attributes.u32be(cta.status) ?? 0,
  };
}

/** Reads the key alone of an entry that has any of these bits in its mark. */
export function decodeMarkedKey(message: NetlinkMessage, bits: number): ConntrackKey | undefined {
  const attributes = attributesOf(message);
  return (attributes.u32be(cta.mark) ?? 0) & bits ? readKey(message, attributes) : undefined;
}

function attributesOf({ payload }: NetlinkMessage): Attributes {
  return new Attributes(payload, 4);
}

function readKey({ payload }: NetlinkMessage, attributes: Attributes): ConntrackKey | undefined {
  const tuple = attributes.bytes(cta.original);
  if (!tuple) return undefined;
  return {
    family: payload[0] ?? AF_INET,
    tuple: Buffer.from(tuple),
    zone: attributes.u16be(cta.zone) ?? 0,
    id: attributes.u32be(cta.id) ?? 0,
  };
}

function decodeTuple(attributes: Attributes | undefined): ConntrackTuple | undefined {
  const addresses = attributes?.nested(tuple.ip);
  const source = addresses?.bytes(ip.source4) ?? addresses?.bytes(ip.source6);
  const destination = addresses?.bytes(ip.destination4) ?? addresses?.bytes(ip.destination6);
  const transport = attributes?.nested(tuple.protocol);
  if (!source || !destination || !transport) return undefined;
  const sourcePort = transport.u16be(protocol.sourcePort);
  const destinationPort = transport.u16be(protocol.destinationPort);
  const icmpId = transport.u16be(protocol.icmpId) ?? transport.u16be(protocol.icmp6Id);
  return {
    source: inetText(source),
    destination: inetText(destination),
    protocol: transport.u8(protocol.number) ?? 0,
    ...(sourcePort !== undefined && { sourcePort }),
    ...(destinationPort !== undefined && { destinationPort }),
    ...(icmpId !== undefined && {
      icmp: {
        id: icmpId,
        type: transport.u8(protocol.icmpType) ?? transport.u8(protocol.icmp6Type) ?? 0,
        code: transport.u8(protocol.icmpCode) ?? transport.u8(protocol.icmp6Code) ?? 0,
      },
    }),
  };
}
