// First packets of new flows, as bytes for raw sockets: with these a flow costs one system call instead of the four of a
// socket of its own. Sources: RFC 768, RFC 8200 section 8.1, RFC 9293 section 3.1.
import { addressBytes, parseAddress } from '../../net/index.ts';

export interface FlowStart {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly id: number;
}

const udpHeader = 8;
const tcpHeader = 20;
const SYN = 2;

/** A UDP datagram that carries the id, four bytes in network order. */
export function encodeUdpStart(flow: FlowStart): Uint8Array {
  const bytes = new Uint8Array(udpHeader + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, flow.sourcePort);
  view.setUint16(2, flow.destinationPort);
  view.setUint16(4, bytes.length);
  view.setUint32(8, flow.id);
  // Zero would mean that there is none, which IPv6 does not permit.
  view.setUint16(6, checksum(17, bytes, flow) || 0xffff);
  return bytes;
}

/** A TCP SYN whose sequence number is the id. Its checksum must be right: connection tracking would call it invalid. */
export function encodeTcpStart(flow: FlowStart): Uint8Array {
  const bytes = new Uint8Array(tcpHeader);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, flow.sourcePort);
  view.setUint16(2, flow.destinationPort);
  view.setUint32(4, flow.id);
  view.setUint8(12, (tcpHeader / 4) << 4);
  view.setUint8(13, SYN);
  view.setUint16(14, 0xffff);
  view.setUint16(16, checksum(6, bytes, flow));
  return bytes;
}

/** The id of a SYN, without IP header; undefined for any other segment or port. */
export function decodeTcpStart(segment: Uint8Array, destinationPort: number): number | undefined {
  if (segment.length < tcpHeader || segment[13] !== SYN) return undefined;
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  return view.getUint16(2) === destinationPort ? view.getUint32(4) : undefined;
}

/** What a raw socket received, without the IP header that comes first for IPv4 and is left out for IPv6 (raw(7), RFC 3542 section 3). */
export function withoutIpHeader(packet: Uint8Array, source: string): Uint8Array {
  return source.includes(':') ? packet : packet.subarray(((packet[0] ?? 0) & 15) * 4);
}

/** The ones' complement sum over pseudo-header and segment, whose own checksum field is zero. */
function checksum(protocol: number, segment: Uint8Array, { source, destination }: FlowStart): number {
  let sum = protocol + segment.length;
  const octets = [source, destination].flatMap((address) => [...addressBytes(parseAddress(address))]);
  for (const [position, octet] of octets.entries()) sum += position % 2 === 0 ? octet << 8 : octet;
  for (const [position, byte] of segment.entries()) sum += position % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
