// The VXLAN overlay of one family: the tunnel device, and through it the way to every remote node's blocks.
// Static throughout: who is behind which address is told by the datastore, and nothing is learnt from packets.
import type { DesiredState, TunnelEndpoint } from '../../calc/index.ts';
import {
  addAddress,
  addVxlan,
  type Change,
  deleteAddress,
  deleteForwardingEntry,
  deleteLink,
  deleteNeighbour,
  KernelError,
  type Link,
  type LinkSettings,
  type RoutingEvent,
  type Rtnetlink,
  replaceForwardingEntry,
  replaceNeighbour,
  setLink,
} from '../../kernel/index.ts';
import { type Family, familyOf } from '../../net/index.ts';
import { ClusterRoutes } from './cluster-routes.ts';
import { deviceNames, tunnelNotes } from './own-tunnels.ts';
import { tunnelEnds } from './tunnel-ends.ts';
import { makeChanges, type Outcome, type WayChange } from './way-changes.ts';

export interface VxlanOverlayOptions {
  readonly family: Family;
  /** This node's address on the underlay. */
  readonly nodeAddress: string;
  /** Address of this node's tunnel device: what the node itself sends from into the overlay. */
  readonly tunnelAddress: string;
  readonly mac: string;
  /** Index of the link that carries the node's address. */
  readonly parent: number;
  /** Bytes, without the overlay's own. */
  readonly mtu: number;
  readonly vni: number;
  readonly port: number;
  /** False leaves all routes alone. */
  readonly keepsRoutes?: boolean;
}

/** What can be changed of a tunnel that is there. */
type TunnelSettings = Required<Pick<LinkSettings, 'mac' | 'mtu' | 'alias'>>;

export class VxlanOverlay {
  readonly family: Family;
  readonly #rtnetlink: Rtnetlink;
  readonly #options: VxlanOverlayOptions;
  /** What the kernel was last made to hold: events are compared with it. */
  readonly #held = { device: -1, entries: new Set<string>() };
  readonly #routes: ClusterRoutes;

  constructor(rtnetlink: Rtnetlink, options: VxlanOverlayOptions) {
    this.family = options.family;
    this.#rtnetlink = rtnetlink;
    this.#options = options;
    this.#routes = new ClusterRoutes(rtnetlink, options);
  }

  /**
   * Makes the kernel hold what the state says of this family: compares with what is there, and changes the difference.
   * @throws Error in a sentence for people when there is no tunnel, and why
   */
  synchronise(state: DesiredState): Outcome {
    const before = this.#held.device;
    this.#held.device = -1;
    const { device, changed: own } = this.#ensureOwnEnd(before);
    this.#held.device = device.index;
    const { ends, lacking: senseless } = tunnelEnds(state.tunnelEndpoints, this.#options);
    const { changed, lacking } = makeChanges(this.#rtnetlink, [
      ...this.#tunnelChanges(device, ends),
      ...(this.#options.keepsRoutes === false
        ? []
        : this.#routes.changes(state, { device: device.index, ends })),
    ]);
    return {
      changed: [...(before === device.index ? [] : [`add link "${device.name}"`]), ...own, ...changed],
      lacking: [...senseless, ...lacking],
    };
  }

  /** Whether what the event tells is not as it should be, as far as can be said without asking the kernel. */
  contradicts(event: RoutingEvent): boolean {
    const { device, entries } = this.#held;
    const { family } = this.#options;
    switch (event.kind) {
      case 'link': {
        const { link, gone } = event;
        if (link.index !== device) return link.name === deviceNames[family];
        return gone || link.name !== deviceNames[family] || !link.up || !isSet(link, this.#settings);
      }
      case 'address':
        return event.gone && event.address.address === this.#options.tunnelAddress;
      case 'route':
        return this.#options.keepsRoutes !== false && this.#routes.contradicts(event);
      case 'neighbour': {
        const { neighbour, gone } = event;
        if (neighbour.link !== device || familyOf(neighbour.address) !== family) return false;
        return entries.has(`${neighbour.address} ${neighbour.mac}`) === gone;
      }
      case 'forwarding entry':
        return (
          event.entry.link === device &&
          entries.has(`${event.entry.mac} ${event.entry.destination}`) === event.gone
        );
      case 'resync':
        return true;
      case 'forwarding':
        return false;
    }
  }

  /** `known` is the index that the device had before. */
  #ensureOwnEnd(known: number): { device: Link; changed: string[] } {
    try {
      const renamed = this.#nameBack(known);
      const device = this.#ensureDevice();
      const changes = this.#addressChanges(device);
      const [refused] = this.#rtnetlink.ensureAll(changes);
      if (refused) throw refused.error;
      return { device, changed: [...renamed, ...changes.map(({ what }) => what)] };
    } catch (error) {
      const { family, vni, port } = this.#options;
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `This node has no IPv${family} tunnel (vxlanVNI ${vni}, vxlanPort ${port}), and its pods reach those of other nodes by none: ${reason}${this.#advice(error)}`,
        { cause: error },
      );
    }
  }

  /** What to do about it, as far as the kernel's word for it says. */
  #advice(error: unknown): string {
    const { vni, port } = this.#options;
    if (!(error instanceof KernelError) || !['EADDRINUSE', 'EEXIST'].includes(error.code)) return '';
    const rivals = this.#rtnetlink
      .links()
      .filter(({ name, vxlan }) => vxlan?.port === port && !Object.values(deviceNames).includes(name));
    const rival = rivals.find(({ vxlan }) => vxlan?.vni === vni) ?? rivals[0];
    if (!rival)
      return `. Another program has UDP port ${port}: end it, or set vxlanPort to another on all nodes`;
    return `. The link "${rival.name}" has VNI ${rival.vxlan?.vni} on that port: remove it, or set vxlanVNI or vxlanPort to another on all nodes`;
  }

  /**
   * A tunnel of ours that somebody has renamed stands in the way of any other, and has its address and routes: it gets its name back.
   * Returns in words what was done.
   */
  #nameBack(known: number): string[] {
    const name = deviceNames[this.family];
    const inPlace = this.#rtnetlink.link(name);
    if (inPlace && this.#fits(inPlace)) return [];
    const found = this.#rtnetlink.links().find((link) => link.name !== name && this.#isOurs(link, known));
    if (!found) return [];
    if (inPlace) this.#rtnetlink.ensure(deleteLink(inPlace.index));
    const [refused] = this.#rtnetlink.applyAll([
      setLink(found.index, { up: false }),
      setLink(found.index, { name }),
    ]);
    if (refused) throw refused.error;
    return [`link "${found.name}" was "${name}"`];
  }

  /** Whoever has the same number on the same port is ours if it has our MAC address, too, which is that of no other program. */
  #isOurs({ alias, index, kind, mac, vxlan }: Link, known: number): boolean {
    const { mac: ours, nodeAddress, port, vni } = this.#options;
    if (kind !== 'vxlan') return false;
    if (index === known || alias === tunnelNotes[this.family]) return true;
    return vxlan?.vni === vni && vxlan.port === port && vxlan.local === nodeAddress && mac === ours;
  }

  #ensureDevice(): Link {
    const { mac, mtu, nodeAddress: local, parent, vni, port } = this.#options;
    const name = deviceNames[this.family];
    const found = this.#rtnetlink.link(name);
    if (found && !this.#fits(found)) this.#rtnetlink.ensure(deleteLink(name));
    if (!found || !this.#fits(found)) {
      this.#rtnetlink.apply(
        addVxlan({ name, mac, mtu, vni, port, local, parent, learning: false, up: true }),
      );
    }
    // A link can be given no note before it is there.
    let device = this.#rtnetlink.link(name);
    if (device && !(device.up && isSet(device, this.#settings))) {
      this.#rtnetlink.apply(setLink(device.index, { ...this.#settings, up: true }));
      device = this.#rtnetlink.link(name);
    }
    if (!device) throw new Error(`The link "${name}" was removed while it was being set up`);
    // Else it would be made anew each time that anybody looks.
    if (!this.#fits(device))
      throw new Error(`The kernel has made the link "${name}" otherwise than it was asked to`);
    return device;
  }

  get #settings(): TunnelSettings {
    const { family, mac, mtu } = this.#options;
    return { mac, mtu, alias: tunnelNotes[family] };
  }

  #fits({ vxlan }: Link): boolean {
    const { nodeAddress, parent, vni, port } = this.#options;
    return (
      vxlan?.vni === vni &&
      vxlan.port === port &&
      vxlan.local === nodeAddress &&
      vxlan.parent === parent &&
      !vxlan.learning
    );
  }

  #addressChanges(device: Link): Change[] {
    const { family, tunnelAddress } = this.#options;
    const present = this.#rtnetlink
      .addresses()
      .filter(
        ({ link, address, scope }) => link === device.index && familyOf(address) === family && scope === 0,
      );
    const stale = present.filter(({ address }) => address !== tunnelAddress).map(deleteAddress);
    if (present.length > stale.length) return stale;
    const prefixLength = family === 4 ? 32 : 128;
    return [
      ...stale,
      addAddress({ link: device.index, address: tunnelAddress, prefixLength, noDad: family === 6 }),
    ];
  }

  /** For each remote node: the MAC address of its tunnel address, and the node behind that MAC address. */
  #tunnelChanges(device: Link, ends: ReadonlyMap<string, TunnelEndpoint>): WayChange[] {
    const whoseEntry = new Map<string, string>();
    const whoseNeighbour = new Map<string, string>();
    for (const [node, { mac, nodeAddress, tunnelAddress }] of ends) {
      whoseEntry.set(`${mac} ${nodeAddress}`, node);
      whoseNeighbour.set(`${tunnelAddress} ${mac}`, node);
    }
    this.#held.entries.clear();
    for (const key of [...whoseEntry.keys(), ...whoseNeighbour.keys()]) this.#held.entries.add(key);
    const changes: WayChange[] = [];
    const nobodys = (change: Change) => changes.push({ change, whose: 'a node that is gone' });
    for (const { link, mac, destination } of this.#rtnetlink.forwardingEntries()) {
      if (link !== device.index || whoseEntry.delete(`${mac} ${destination}`)) continue;
      nobodys(deleteForwardingEntry({ link, mac, ...(destination && { destination }) }));
    }
    for (const { link, address, mac, permanent } of this.#rtnetlink.neighbours()) {
      if (link !== device.index || !permanent || whoseNeighbour.delete(`${address} ${mac}`)) continue;
      nobodys(deleteNeighbour({ link, address }));
    }
    const link = device.index;
    const add = (change: Change, node: string) => changes.push({ change, whose: `node "${node}"` });
    for (const node of whoseEntry.values()) {
      const { mac, nodeAddress } = ends.get(node) as TunnelEndpoint;
      add(replaceForwardingEntry({ link, mac, destination: nodeAddress }), node);
    }
    for (const node of whoseNeighbour.values()) {
      const { tunnelAddress, mac } = ends.get(node) as TunnelEndpoint;
      add(replaceNeighbour({ link, address: tunnelAddress, mac }), node);
    }
    return changes;
  }
}

function isSet(link: Link, { mac, mtu, alias }: TunnelSettings): boolean {
  return link.mac === mac && link.mtu === mtu && link.alias === alias;
}
