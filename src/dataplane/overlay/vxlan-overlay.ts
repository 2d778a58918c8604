// The VXLAN overlay of one family: the tunnel device, and through it the way to every remote node's blocks.
// Static throughout: who is behind which address is told by the datastore, and nothing is learnt from packets.
import type { DesiredState, RouteProgram, TunnelEndpoint } from '../../calc/index.ts';
import {
  addAddress,
  addVxlan,
  type Change,
  deleteAddress,
  deleteForwardingEntry,
  deleteLink,
  deleteNeighbour,
  deleteRoute,
  type Link,
  type NewRoute,
  type Route,
  type RoutingEvent,
  type Rtnetlink,
  replaceForwardingEntry,
  replaceNeighbour,
  replaceRoute,
  setLink,
} from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';

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
}

/** What Calico marks its routes with. */
export const routeProtocol = 80;
export const deviceNames: Readonly<Record<Family, string>> = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' };

export class VxlanOverlay {
  readonly #rtnetlink: Rtnetlink;
  readonly #options: VxlanOverlayOptions;
  /** What the kernel was last made to hold: events are compared with it. */
  readonly #held = { device: -1, entries: new Set<string>(), routes: new Map<string, NewRoute>() };

  constructor(rtnetlink: Rtnetlink, options: VxlanOverlayOptions) {
    this.#rtnetlink = rtnetlink;
    this.#options = options;
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
      ...this.#routeChanges(device, state),
    ];
    const [refused] = this.#rtnetlink.ensureAll(changes);
    if (refused) throw refused.error;
    const told = changes.map(({ what }) => what);
    return before === device.index ? told : [`add link "${device.name}"`, ...told];
  }

  /** Whether what the event tells is not as it should be, as far as can be said without asking the kernel. */
  contradicts(event: RoutingEvent): boolean {
    const { device, entries, routes } = this.#held;
    const { family, mtu, mac } = this.#options;
    switch (event.kind) {
      case 'link': {
        const { link, gone } = event;
        if (link.index !== device) return link.name === deviceNames[family];
        return gone || link.name !== deviceNames[family] || !link.up || link.mtu !== mtu || link.mac !== mac;
      }
      case 'address':
        return event.gone && event.address.address === this.#options.tunnelAddress;
      case 'route': {
        const { route, gone } = event;
        const wanted = routes.get(route.destination);
        if (gone) return wanted !== undefined && isSameRoute(route, wanted);
        if (!this.#isOurs(route)) return false;
        return !wanted || !isSameRoute(route, wanted);
      }
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

  #routeChanges(device: Link, state: DesiredState): Change[] {
    const wanted = new Map<string, NewRoute>();
    for (const [destination, program] of state.routes) {
      if (familyOf(destination) !== this.#options.family) continue;
      const route = this.#routeOf(destination, program, device, state);
      if (route) wanted.set(destination, route);
    }
    this.#held.routes.clear();
    for (const [destination, route] of wanted) this.#held.routes.set(destination, route);
    const changes: Change[] = [];
    for (const route of this.#rtnetlink.routes()) {
      if (!this.#isOurs(route)) continue;
      const target = wanted.get(route.destination);
      if (target && isSameRoute(route, target)) wanted.delete(route.destination);
      // The replacement takes a stale route's place; a deletion of its own is for what has no successor.
      else if (!target) changes.push(deleteRoute(route));
    }
    return [...changes, ...[...wanted.values()].map(replaceRoute)];
  }

  /** Routes to the node's own pods may bear the same protocol; they lead straight over a link, and are not the overlay's. */
  #isOurs({ protocol, destination, type, via }: Route): boolean {
    if (protocol !== routeProtocol || familyOf(destination) !== this.#options.family) return false;
    return via !== undefined || type === 'blackhole';
  }

  #routeOf(
    destination: string,
    program: RouteProgram,
    device: Link,
    state: DesiredState,
  ): NewRoute | undefined {
    const base = { destination, protocol: routeProtocol };
    switch (program.kind) {
      case 'blackhole':
        return { ...base, type: 'blackhole' };
      case 'direct':
        return { ...base, via: program.nodeAddress, link: this.#options.parent, onlink: true };
      case 'vxlan': {
        const end: TunnelEndpoint | undefined = state.tunnelEndpoints.get(
          `${program.node}/${this.#options.family}`,
        );
        return end && { ...base, via: end.tunnelAddress, link: device.index, onlink: true };
      }
    }
  }
}

function isSameRoute(actual: Route, wanted: NewRoute): boolean {
  const type = wanted.type ?? 'unicast';
  // The kernel hangs an IPv6 blackhole on the loopback link.
  const isSameWay = type === 'blackhole' || (actual.via === wanted.via && actual.link === wanted.link);
  return actual.type === type && isSameWay;
}

function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}
