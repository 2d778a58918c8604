// Changes to links: make, alter, delete.
import type { MessageWriter } from '../netlink/index.ts';
import { AF_INET, inetBytes, inetFamily } from '../netlink/inet-address.ts';
import { addition, alteration, type Change, removal } from './change.ts';
import {
  IFF_UP,
  ifla,
  iflaVxlan,
  type LinkReference,
  linkText,
  rtmDeleteLink,
  rtmNewLink,
  rtmSetLink,
  type Vxlan,
  writeLinkHeader,
  writeLinkReference,
} from './link.ts';
import { macBytes } from './mac-address.ts';

const VETH_INFO_PEER = 1;
const maxNameBytes = 15;

interface NewLink {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
}

interface NewVethEnd extends NewLink {
  /** File descriptor of the namespace in which this end appears; where the request is made when absent. */
  readonly namespace?: number;
}

/** The peer cannot be made up: the kernel refuses with ENOTCONN, because its own peer does not exist yet. */
export interface NewVeth extends NewLink {
  readonly up?: boolean;
  /** Index of a bridge to join. */
  readonly master?: number;
  readonly peer: NewVethEnd;
  /** Of each kind at each end; 1 when absent, since more cost time to make and gain nothing on most hosts. */
  readonly queues?: number;
}

/** What to change about a link; what is absent stays. */
export interface LinkSettings {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** Index of a bridge to join; 0 leaves it. */
  readonly master?: number;
  /** The link must be known by its index, and in many kernels be down. */
  readonly name?: string;
  /** For `deleteLinkGroup`. */
  readonly group?: number;
  /** At most 255 bytes; an empty one takes the note away. */
  readonly alias?: string;
  /** File descriptor of the namespace to move to. The link comes out of it down and without addresses. */
  readonly namespace?: number;
}

/** Both ends in one message, each in its namespace. */
export function addVeth(veth: NewVeth): Change {
  const { peer, queues = 1 } = veth;
  return addition(rtmNewLink, `veth ${nameText(veth)} with peer ${nameText(peer)}`, (writer) => {
    const flags = veth.up ? IFF_UP : 0;
    writeNewLink(writeLinkHeader(writer, 0, flags, flags), veth);
    writer.u32(ifla.txQueues, queues).u32(ifla.rxQueues, queues);
    if (veth.master !== undefined) writer.u32(ifla.master, veth.master);
    writer.beginNested(ifla.info).string(ifla.infoKind, 'veth').beginNested(ifla.infoData);
    writer.beginNested(VETH_INFO_PEER);
    writeNewLink(writeLinkHeader(writer, 0), peer);
    writer.u32(ifla.txQueues, queues).u32(ifla.rxQueues, queues);
    if (peer.namespace !== undefined) writer.u32(ifla.namespaceFd, peer.namespace);
    writer.endNested().endNested().endNested();
  });
}

export function addBridge(bridge: NewLink & { readonly up?: boolean }): Change {
  return addition(rtmNewLink, `bridge ${nameText(bridge)}`, (writer) => {
    const flags = bridge.up ? IFF_UP : 0;
    writeNewLink(writeLinkHeader(writer, 0, flags, flags), bridge);
    writer.beginNested(ifla.info).string(ifla.infoKind, 'bridge').endNested();
  });
}

/** A VXLAN device without a remote of its own: its forwarding entries say where frames go. */
export function addVxlan(vxlan: NewLink & Vxlan & { readonly up?: boolean }): Change {
  return addition(rtmNewLink, `VXLAN device ${nameText(vxlan)}`, (writer) => {
    const flags = vxlan.up ? IFF_UP : 0;
    writeNewLink(writeLinkHeader(writer, 0, flags, flags), vxlan);
    writer.beginNested(ifla.info).string(ifla.infoKind, 'vxlan').beginNested(ifla.infoData);
    writer.u32(iflaVxlan.id, vxlan.vni);
    writer.u16be(iflaVxlan.port, vxlan.port).u8(iflaVxlan.learning, vxlan.learning ? 1 : 0);
    if (vxlan.parent !== undefined) writer.u32(iflaVxlan.link, vxlan.parent);
    if (vxlan.local !== undefined) {
      const attribute = inetFamily(vxlan.local) === AF_INET ? iflaVxlan.local : iflaVxlan.local6;
      writer.bytes(attribute, inetBytes(vxlan.local));
    }
    writer.endNested().endNested();
  });
}

export function setLink(link: LinkReference, settings: LinkSettings): Change {
  const { up, mtu, mac, master, name, group, alias, namespace } = settings;
  if (name !== undefined && typeof link === 'string') {
    throw new RangeError(`Cannot rename ${linkText(link)} by its name: use its index`);
  }
  return alteration(rtmSetLink, `change ${linkText(link)}`, (writer) => {
    writeLinkReference(writer, link, up ? IFF_UP : 0, up === undefined ? 0 : IFF_UP);
    if (name !== undefined) writer.string(ifla.name, name);
    if (mac !== undefined) writer.bytes(ifla.address, macBytes(mac));
    if (mtu !== undefined) writer.u32(ifla.mtu, mtu);
    if (master !== undefined) writer.u32(ifla.master, master);
    if (group !== undefined) writer.u32(ifla.group, group);
    if (alias !== undefined) writer.bytes(ifla.alias, Buffer.from(alias));
    if (namespace !== undefined) writer.u32(ifla.namespaceFd, namespace);
  });
}

/** A veth's peer goes with it. Waits in the kernel for some 20 ms: to be applied asynchronously where that matters. */
export function deleteLink(link: LinkReference): Change {
  return removal(rtmDeleteLink, linkText(link), (writer) => writeLinkReference(writer, link));
}

/** Deletes all links of a group in the time of one. @throws RangeError for group 0, which every link is in at first */
export function deleteLinkGroup(group: number): Change {
  if (group === 0)
    throw new RangeError('Cannot delete link group 0, which is every link that was never put into another');
  return removal(rtmDeleteLink, `the links of group ${group}`, (writer) => {
    writeLinkHeader(writer, 0).u32(ifla.group, group);
  });
}

function writeNewLink(writer: MessageWriter, { name, mac, mtu }: NewLink): void {
  if (Buffer.byteLength(name) > maxNameBytes) {
    throw new RangeError(`"${name}" is not the name of a link: ${maxNameBytes} bytes is the longest`);
  }
  writer.string(ifla.name, name);
  if (mac !== undefined) writer.bytes(ifla.address, macBytes(mac));
  if (mtu !== undefined) writer.u32(ifla.mtu, mtu);
}

function nameText({ name }: NewLink): string {
  return `"${name}"`;
}
