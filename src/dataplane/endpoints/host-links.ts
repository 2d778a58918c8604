// The host's ends of local pods' links, kept as they should be: up, under their names, with a route and a neighbour for
// every address of the pod. The CNI server makes them; this sets right what others do to them afterwards.
// A link that is gone cannot be set right, because its other end is gone with it: that is reported, once.
import type { Changes, DesiredState, EndpointProgram } from '../../calc/index.ts';
import {
  addAddress,
  type Change,
  deleteRoute,
  type Link,
  mainTable,
  type Neighbour,
  type NewRoute,
  type Route,
  type RoutingEvent,
  type Rtnetlink,
  replaceNeighbour,
  replaceRoute,
  setLink,
} from '../../kernel/index.ts';
import { type Family, familyOf } from '../../net/index.ts';
import { hostSettings, nodeSettings, restoreSettings } from './host-settings.ts';
import { type DeviceRoutes, deviceRoute, plainDeviceRoutes } from './next-hop.ts';
import type { PodLink } from './pod-links.ts';

/** The link-local address that every host's end has, as its MAC address gives it. */
const linkLocal = 'fe80::ecee:eeff:feee:eeee';

type Wanted = Pick<EndpointProgram, 'interfaceName' | 'addresses'>;

export interface HostLinksOptions {
  readonly routes: DeviceRoutes;
  /** Routes over pods' links that nobody of us made are taken away. */
  readonly removeExternalRoutes: boolean;
  /** False leaves all routes alone, once they have been made with their links: Felix' routeSyncDisabled. */
  readonly keepsRoutes: boolean;
  /** The node passes packets on, and its setting that says so is kept. */
  readonly forwards: boolean;
}

const plainOptions: HostLinksOptions = {
  routes: plainDeviceRoutes,
  removeExternalRoutes: true,
  keepsRoutes: true,
  forwards: true,
};

/** RTPROT_KERNEL: what comes with a link's own addresses. */
const kernelProtocol = 2;
/** Of a route that was made without one. */
const kernelMetrics: Readonly<Record<Family, number>> = { 4: 0, 6: 1024 };

interface Seen {
  readonly index: number;
  /** The pod's MAC address by its address: what permanent neighbours said when the link was first seen. */
  readonly macs: ReadonlyMap<string, string>;
}

interface Replacement {
  /** Undefined when it is there. */
  readonly route: Change | undefined;
  /** Others to the same address, which the kernel keeps beside it. */
  readonly stale: readonly Change[];
}

export class HostLinks {
  readonly #rtnetlink: Rtnetlink;
  readonly #namespace: number;
  readonly #options: HostLinksOptions;
  readonly #byEndpoint = new Map<string, Wanted>();
  readonly #byName = new Map<string, Wanted>();
  readonly #nameOfAddress = new Map<string, string>();
  readonly #seen = new Map<string, Seen>();
  readonly #nameOfIndex = new Map<number, string>();
  readonly #lost = new Set<string>();
  /** Whether a link had a name that no rule knows, at any time since the last repair. */
  #wasMisnamed = false;

  /** `namespace` is the node's, as a file descriptor, and `rtnetlink` belongs to it. */
  constructor(rtnetlink: Rtnetlink, namespace: number, options: Partial<HostLinksOptions> = {}) {
    this.#rtnetlink = rtnetlink;
    this.#namespace = namespace;
    this.#options = { ...plainOptions, ...options };
  }

  /** Learns which links there should be. Changes nothing in the kernel. */
  note(state: DesiredState, changed: Changes['endpoints']): void {
    for (const key of changed) {
      const before = this.#byEndpoint.get(key);
      const now = state.endpoints.get(key);
      if (before) {
        this.#byName.delete(before.interfaceName);
        for (const address of before.addresses) this.#nameOfAddress.delete(address);
        if (now?.interfaceName !== before.interfaceName) this.#forget(before.interfaceName);
      }
      if (!now) {
        this.#byEndpoint.delete(key);
        continue;
      }
      const { interfaceName, addresses } = now;
      this.#byEndpoint.set(key, { interfaceName, addresses });
      this.#byName.set(interfaceName, { interfaceName, addresses });
      for (const address of addresses) this.#nameOfAddress.set(address, interfaceName);
    }
  }

  /** A link that was opened just now: what it is like need not be asked of the kernel. */
  opened({ interfaceName, index, addresses, podMac }: PodLink): void {
    this.#see(interfaceName, { index, macs: new Map(addresses.map((address) => [address, podMac])) });
  }

  /** Whether what the event tells is not as it should be, as far as can be said without comparing everything. */
  contradicts(event: RoutingEvent): boolean {
    switch (event.kind) {
      case 'link': {
        const { name, index, up } = event.link;
        const seen = this.#seen.get(name)?.index;
        if (this.#byName.has(name)) {
          if (event.gone) return (seen ?? index) === index;
          // Until it was seen, one that is down is about to be opened; and then the event may be older than that.
          return !up && seen === index && !this.#rtnetlink.link(index)?.up;
        }
        const isMisnamed = this.#byName.has(this.#nameOfIndex.get(index) ?? '');
        // Another hand may give it its name back before it is looked at.
        if (isMisnamed && !event.gone) this.#wasMisnamed = true;
        return isMisnamed;
      }
      case 'route': {
        if (!this.#options.keepsRoutes) return false;
        const name = this.#nameOfAddress.get(event.route.destination.split('/')[0] ?? '');
        if (event.gone) return name !== undefined && event.route.link === this.#seen.get(name)?.index;
        return this.#isExternal(event.route);
      }
      case 'neighbour': {
        const { address, link, mac, permanent } = event.neighbour;
        const seen = this.#seen.get(this.#nameOfAddress.get(address) ?? '');
        const wanted = seen?.macs.get(address);
        if (!wanted || link !== seen?.index) return false;
        return event.gone || mac !== wanted || !permanent;
      }
      case 'resync':
        return true;
      default:
        return false;
    }
  }

  /** Whether forwarding was switched off on the node or on a pod's link. */
  stopsForwarding(event: RoutingEvent): boolean {
    if (event.kind !== 'forwarding') return event.kind === 'resync';
    if (event.link < 0 && !this.#options.forwards) return false;
    return !event.enabled && (event.link < 0 || this.#nameOfIndex.has(event.link));
  }

  /**
   * Compares all links with what they should be, and returns in words what had to be set right or cannot be. Calls `onNamed` when one
   * has its name back that had another, before it is up again.
   */
  repair(onNamed: () => void = () => {}): string[] {
    if (this.#byName.size === 0) return [];
    const links = this.#rtnetlink.links();
    const byName = new Map(links.map((link) => [link.name, link]));
    const byIndex = new Map(links.map((link) => [link.index, link]));
    const routes = Map.groupBy(this.#rtnetlink.routes(), ({ destination }) => destination);
    const neighbours = Map.groupBy(this.#rtnetlink.neighbours(), ({ address }) => address);
    const told: string[] = [];
    const changes: Change[] = [];
    const replacements: Replacement[] = [];
    for (const [name, wanted] of this.#byName) {
      const link = byName.get(name) ?? this.#renamedBack(name, byIndex, told);
      if (!link) {
        if (!this.#lost.has(name))
          told.push(
            `link "${name}" of ${wanted.addresses.join(', ')} is gone; only a new sandbox brings it back`,
          );
        this.#lost.add(name);
        continue;
      }
      this.#lost.delete(name);
      const wasSeen = this.#seen.get(name)?.index === link.index;
      const due = this.#changesFor(link, wanted, neighbours);
      const rerouted = this.#replacementsFor(link, wanted, routes);
      const all = [...due, ...rerouted.flatMap(({ route, stale }) => [...(route ? [route] : []), ...stale])];
      // What the CNI server is just about to do itself was nobody's interference.
      if (wasSeen) told.push(...all.map(({ what }) => what));
      changes.push(...due);
      replacements.push(...rerouted);
    }
    if (this.#wasMisnamed) onNamed();
    this.#wasMisnamed = false;
    for (const route of [...routes.values()].flat().filter((candidate) => this.#isExternal(candidate))) {
      told.push(`the route ${route.destination} led to a pod without being ours`);
      changes.push(deleteRoute(route));
    }
    const ensure = (list: readonly Change[]) => {
      const refused = this.#rtnetlink.ensureAll(list);
      // A link may go between being looked at and being repaired; what is left is looked at again with that event.
      told.push(...refused.map(({ change, error }) => `could not ${change.what}: ${error.message}`));
      return new Set(refused.map(({ change }) => change));
    };
    const refused = ensure([...changes, ...replacements.flatMap(({ route }) => route ?? [])]);
    // Before its successor is there the pod would be without a route.
    ensure(replacements.flatMap(({ route, stale }) => (route && refused.has(route) ? [] : stale)));
    return told;
  }

  /** Sets back kernel settings of all links. Gives way to others between links. */
  async repairSettings(): Promise<string[]> {
    const changed = this.#options.forwards ? restoreSettings(this.#namespace, nodeSettings) : [];
    for (const { interfaceName, addresses } of [...this.#byName.values()]) {
      for (const family of new Set(addresses.map(familyOf))) {
        changed.push(...restoreSettings(this.#namespace, hostSettings(interfaceName, family)));
      }
      await new Promise(setImmediate);
    }
    return changed;
  }

  #changesFor(
    link: Link,
    { interfaceName, addresses }: Wanted,
    neighbours: ReadonlyMap<string, readonly Neighbour[]>,
  ): Change[] {
    const own = (address: string) =>
      (neighbours.get(address) ?? []).find(
        (neighbour) => neighbour.link === link.index && neighbour.permanent,
      );
    let seen = this.#seen.get(interfaceName);
    if (seen?.index !== link.index || addresses.some((address) => !seen?.macs.has(address))) {
      const macs = addresses.flatMap((address) => {
        const mac = (seen?.index === link.index && seen.macs.get(address)) || own(address)?.mac;
        return mac ? [[address, mac] as const] : [];
      });
      seen = { index: link.index, macs: new Map(macs) };
      this.#see(interfaceName, seen);
    }
    const changes: Change[] = [];
    if (!link.up) {
      changes.push(setLink(link.index, { up: true }));
      if (addresses.some((address) => familyOf(address) === 6))
        changes.push(addAddress({ link: link.index, address: linkLocal, prefixLength: 64, noDad: true }));
    }
    for (const address of addresses) {
      const mac = seen.macs.get(address);
      if (mac && (!link.up || own(address)?.mac !== mac))
        changes.push(replaceNeighbour({ link: link.index, address, mac }));
    }
    return changes;
  }

  /** Routes that are not there as they should be, after a change of what they should say of themselves, too. */
  #replacementsFor(
    link: Link,
    { addresses }: Wanted,
    routes: ReadonlyMap<string, readonly Route[]>,
  ): Replacement[] {
    const { keepsRoutes, removeExternalRoutes, routes: options } = this.#options;
    if (!keepsRoutes) return [];
    return addresses.map((address) => {
      const wanted = deviceRoute(address, link.index, options);
      const present = (routes.get(wanted.destination) ?? []).filter(
        (route) => route.link === link.index && route.table === mainTable && route.type === 'unicast',
      );
      const isThere = link.up && present.some((route) => isAsWanted(route, wanted));
      const stale = present.filter(
        (route) =>
          route.metric !== metricOf(wanted) && (removeExternalRoutes || route.protocol === wanted.protocol),
      );
      return { route: isThere ? undefined : replaceRoute(wanted), stale: stale.map(deleteRoute) };
    });
  }

  /** A route to a pod's link that leads to none of the pod's addresses, and is not the link's own. */
  #isExternal({ destination, link, table, protocol, type }: Route): boolean {
    const { removeExternalRoutes, keepsRoutes } = this.#options;
    if (!removeExternalRoutes || !keepsRoutes || link === undefined || table !== mainTable) return false;
    if (protocol === kernelProtocol || type !== 'unicast' || /^f[ef]/.test(destination)) return false;
    const name = this.#nameOfIndex.get(link);
    if (name === undefined) return false;
    const [address = '', length] = destination.split('/');
    const isWhole = Number(length) === (address.includes(':') ? 128 : 32);
    return !isWhole || this.#nameOfAddress.get(address) !== name;
  }

  /** Under another name a link would not be told from a host's own: it goes down before it comes back. */
  #renamedBack(name: string, byIndex: ReadonlyMap<number, Link>, told: string[]): Link | undefined {
    const found = byIndex.get(this.#seen.get(name)?.index ?? -1);
    if (!found || this.#byName.has(found.name)) return undefined;
    const [refused] = this.#rtnetlink.applyAll([
      setLink(found.index, { up: false }),
      setLink(found.index, { name }),
    ]);
    this.#wasMisnamed = true;
    told.push(
      refused
        ? `link "${found.name}" could not be renamed to "${name}" and is down: ${refused.error.message}`
        : `link "${found.name}" was "${name}"`,
    );
    return refused ? undefined : { ...found, name, up: false };
  }

  #see(name: string, seen: Seen): void {
    this.#forget(name);
    this.#seen.set(name, seen);
    this.#nameOfIndex.set(seen.index, name);
  }

  #forget(name: string): void {
    const index = this.#seen.get(name)?.index;
    if (index !== undefined && this.#nameOfIndex.get(index) === name) this.#nameOfIndex.delete(index);
    this.#seen.delete(name);
    this.#lost.delete(name);
  }
}

function isAsWanted(route: Route, wanted: NewRoute): boolean {
  return (
    route.protocol === wanted.protocol && route.metric === metricOf(wanted) && route.source === wanted.source
  );
}

function metricOf({ destination, metric }: NewRoute): number {
  return metric ?? kernelMetrics[familyOf(destination)];
}
