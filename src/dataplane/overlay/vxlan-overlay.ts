// The VXLAN overlay of one family: the tunnel device, and through it the way to every remote node's blocks.
// Static throughout: who is behind which address is told by the datastore, and nothing is learnt from packets.
import type { DesiredState } from '../../calc/index.ts';
import {
  addAddress,
  addVxlan,
  type Change,
  deleteAddress,
  deleteForwardingEntry,
  deleteLink,
  deleteNeighbour,
  type Link,
  type RoutingEvent,
  type Rtnetlink,
  replaceForwardingEntry,
  replaceNeighbour,
  setLink,
} from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import { ClusterRoutes } from './cluster-routes.ts';

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

export const deviceNames: Readonly<Record<Family, string>> = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' };

export class VxlanOverlay {
  readonly #rtnetlink: Rtnetlink;
  readonly #options: VxlanOverlayOptions;
  /** What the kernel was last made to hold: events are compared with it. */
  readonly #held = { device: -1, entries: new Set<string>() };
  readonly #routes: ClusterRoutes;

  constructor(rtnetlink: Rtnetlink, options: VxlanOverlayOptions) {
    this.#rtnetlink = rtnetlink;
    this.#options = options;
    this.#routes = new ClusterRoutes(rtnetlink, options);
  }

  /**
   * Makes the kernel hold what the state says of this family: compares with what is there, and changes the difference.
   * Returns in words what was changed.
   * @throws KernelError for the first change that the kernel refuses, when all others have been made
   */
  synchronise(state: DesiredState): string[] {
    const before = this.#held.device;
    const device = this.#ensureDevice();
    this.#held.device = device.index;
    const changes = [
      ...this.#addressChanges(device),
      ...this.#tunnelChanges(device, state),
      ...(this.#options.keepsRoutes === false ? [] : this.#routes.changes(state, device.index)),
    ];
    const [refused] = this.#rtnetlink.ensureAll(changes);
    if (refused) throw refused.error;
    const told = changes.map(({ what }) => what);
    return before === device.index ? told : [`add link "${device.name}"`, ...told];
  }

  /** Whether what the event tells is not as it should be, as far as can be said without asking the kernel. */
  contradicts(event: RoutingEvent): boolean {
    const { device, entries } = this.#held;
    const { family, mtu, mac } = this.#options;
    switch (event.kind) {
      case 'link': {
        const { link, gone } = event;
        if (link.index !== device) return link.name === deviceNames[family];
        return gone || link.name !== deviceNames[family] || !link.up || link.mtu !== mtu || link.mac !== mac;
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

  #ensureDevice(): Link {
    const { family, nodeAddress, mac, parent, mtu, vni, port } = this.#options;
    const name = deviceNames[family];
    const found = this.#rtnetlink.link(name);
    const fits =
      found?.vxlan?.vni === vni &&
      found.vxlan.port === port &&
      found.vxlan.local === nodeAddress &&
      found.vxlan.parent === parent &&
      !found.vxlan.learning;
    if (found && !fits) this.#rtnetlink.ensure(deleteLink(name));
    if (!found || !fits) {
      this.#rtnetlink.apply(
        addVxlan({ name, mac, mtu, vni, port, local: nodeAddress, parent, learning: false, up: true }),
      );
    } else if (found.mac !== mac || found.mtu !== mtu || !found.up) {
      this.#rtnetlink.apply(setLink(found.index, { mac, mtu, up: true }));
    }
    const device = this.#rtnetlink.link(name);
    if (!device) throw new Error(`The link "${name}" was removed while it was being set up`);
    return device;
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
  #tunnelChanges(device: Link, state: DesiredState): Change[] {
    const wanted = [...state.tunnelEndpoints.values()].filter(
      ({ family }) => family === this.#options.family,
    );
    const entries = new Map(wanted.map((end) => [`${end.mac} ${end.nodeAddress}`, end]));
    const neighbours = new Map(wanted.map((end) => [`${end.tunnelAddress} ${end.mac}`, end]));
    this.#held.entries.clear();
    for (const key of [...entries.keys(), ...neighbours.keys()]) this.#held.entries.add(key);
    const changes: Change[] = [];
    for (const { link, mac, destination } of this.#rtnetlink.forwardingEntries()) {
      if (link !== device.index || entries.delete(`${mac} ${destination}`)) continue;
      changes.push(deleteForwardingEntry({ link, mac, ...(destination && { destination }) }));
    }
    for (const { link, address, mac, permanent } of this.#rtnetlink.neighbours()) {
      if (link !== device.index || !permanent || neighbours.delete(`${address} ${mac}`)) continue;
      changes.push(deleteNeighbour({ link, address }));
    }
    for (const { mac, nodeAddress } of entries.values()) {
      changes.push(replaceForwardingEntry({ link: device.index, mac, destination: nodeAddress }));
    }
    for (const { mac, tunnelAddress } of neighbours.values()) {
      changes.push(replaceNeighbour({ link: device.index, address: tunnelAddress, mac }));
    }
    return changes;
  }
}

function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}
