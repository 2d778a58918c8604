// Addresses of links. Source: linux/if_addr.h.
//
//   struct ifaddrmsg   0        1               2       3       4            8
//                      | family | prefix length | flags | scope | link index | attributes ...
import { Attributes, type MessageWriter, type NetlinkMessage } from '../netlink/index.ts';
import { inetBytes, inetFamily, inetText } from '../netlink/inet-address.ts';
import { addition, type Change, removal } from './change.ts';

export const rtmNewAddress = 20;
export const rtmDeleteAddress = 21;
export const rtmGetAddress = 22;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x02;
const IFA_F_TENTATIVE = 0x40;

export interface LinkAddress {
  /** Index of the link. */
  readonly link: number;
  /** Canonical text. */
  readonly address: string;
  readonly prefixLength: number;
  /** How far the address is known, as the kernel numbers it: 0 everywhere, 253 on the link, 254 on this host. */
  readonly scope: number;
  /** IPv6: used at once, without asking the link whether another host has it. */
  readonly noDad: boolean;
  /** IPv6: not usable yet, because that question is still open. */
  readonly tentative: boolean;
}

/** An address to add: the scope is 0 unless said otherwise. */
export type NewLinkAddress = Pick<LinkAddress, 'link' | 'address' | 'prefixLength'> &
  Partial<Pick<LinkAddress, 'scope' | 'noDad'>>;

export function addAddress(address: NewLinkAddress): Change {
  return addition(rtmNewAddress, `${textOf(address)}`, (writer) => writeAddress(writer, address));
}

export function deleteAddress(address: Pick<LinkAddress, 'link' | 'address' | 'prefixLength'>): Change {
  return removal(rtmDeleteAddress, `${textOf(address)}`, (writer) => writeAddress(writer, address));
}

export function writeAddress(writer: MessageWriter, address: NewLinkAddress): void {
  const bytes = inetBytes(address.address);
  writer
    .headerU8(inetFamily(address.address))
    .headerU8(address.prefixLength)
    .headerU8(0)
    .headerU8(address.scope ?? 0);
  writer.headerU32(address.link);
  writer.bytes(IFA_LOCAL, bytes).bytes(IFA_ADDRESS, bytes);
  if (address.noDad) writer.u32(IFA_FLAGS, IFA_F_NODAD);
}

export function decodeAddress({ payload }: NetlinkMessage): LinkAddress | undefined {
  const attributes = new Attributes(payload, 8);
  // On a point-to-point link the two differ, and the local one is this host's.
  const bytes = attributes.bytes(IFA_LOCAL) ?? attributes.bytes(IFA_ADDRESS);
  if (!bytes) return undefined;
  const flags = attributes.u32(IFA_FLAGS) ?? payload[2] ?? 0;
  return {
    link: payload.readUInt32LE(4),
    address: inetText(bytes),
    prefixLength: payload[1] ?? 0,
    scope: payload[3] ?? 0,
    noDad: (flags & IFA_F_NODAD) !== 0,
    tentative: (flags & IFA_F_TENTATIVE) !== 0,
  };
}

function textOf({
  address,
  prefixLength,
  link,
}: Pick<LinkAddress, 'link' | 'address' | 'prefixLength'>): string {
  return `address ${address}/${prefixLength} of link ${link}`;
}
