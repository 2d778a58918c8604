// The two SCTP packets that open an association, INIT and INIT ACK, as bytes. Source: RFC 9260 sections 3, 3.3.2, 3.3.3.
// The kernel need not have SCTP sockets: these travel over raw sockets, and a valid checksum satisfies connection tracking.
import { crc32c } from './crc32c.ts';

export interface SctpOpening {
  readonly kind: 'INIT' | 'INIT ACK';
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Zero in an INIT; the other side's initiate tag in its answer. */
  readonly verificationTag: number;
  /** Names the association; never zero. A probe's id travels here. */
  readonly initiateTag: number;
}

/** IANA's number of SCTP. */
export const sctpProtocol = 132;

const chunkTypes = { INIT: 1, 'INIT ACK': 2 } as const;
const commonHeader = 12;
const initChunk = 20;
/** The state cookie that an INIT ACK must carry: parameter type 7, empty but for its header. */
const stateCookie = Uint8Array.of(0, 7, 0, 4);

/**
 *  0      2      4                8           12
 *  | source| dest | verification tag | checksum |          common header
 *  | type 1/2 | flags 0 | length be16 | initiate tag |     chunk
 *  | receiver window be32 | outbound be16 | inbound be16 | initial TSN be32 | [state cookie] |
 */
export function encodeSctp(packet: SctpOpening): Uint8Array {
  const cookie = packet.kind === 'INIT ACK' ? stateCookie : new Uint8Array();
  const bytes = new Uint8Array(commonHeader + initChunk + cookie.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, packet.sourcePort);
  view.setUint16(2, packet.destinationPort);
  view.setUint32(4, packet.verificationTag);
  view.setUint8(12, chunkTypes[packet.kind]);
  view.setUint16(14, initChunk + cookie.length);
  view.setUint32(16, packet.initiateTag);
  view.setUint32(20, 65536);
  view.setUint16(24, 1);
  view.setUint16(26, 1);
  view.setUint32(28, packet.initiateTag);
  bytes.set(cookie, commonHeader + initChunk);
  view.setUint32(8, crc32c(bytes), true);
  return bytes;
}

/** Reads an SCTP packet without its IP header; undefined for anything but an INIT or INIT ACK with a right checksum. */
export function decodeSctp(bytes: Uint8Array): SctpOpening | undefined {
  if (bytes.length < commonHeader + initChunk) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getUint8(12) === 1 ? 'INIT' : view.getUint8(12) === 2 ? 'INIT ACK' : undefined;
  if (!kind) return undefined;
  // A copy: a Buffer's own slice would be a view, and the fill would reach the caller's bytes.
  const unsummed = new Uint8Array(bytes);
  unsummed.fill(0, 8, 12);
  if (crc32c(unsummed) !== view.getUint32(8, true)) return undefined;
  return {
    kind,
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    verificationTag: view.getUint32(4),
    initiateTag: view.getUint32(16),
  };
}
