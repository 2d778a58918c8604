// Routes of one family to where other nodes' pods live, over the underlay or through a tunnel, and what keeps the node's own
// blocks from going anywhere else.
import type { DesiredState, RouteProgram } from '../../calc/index.ts';
import {
  type Change,
  deleteRoute,
  type NewRoute,
  type Route,
  type RoutingEvent,
  type Rtnetlink,
  replaceRoute,
} from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';

/** What Calico marks its routes with. */
export const routeProtocol = 80;

export interface ClusterRoutesOptions {
  readonly family: Family;
  /** Index of the link that carries the node's address. */
  readonly parent: number;
}

export class ClusterRoutes {
  readonly #rtnetlink: Rtnetlink;
  readonly #options: ClusterRoutesOptions;
  /** What the kernel was last made to hold: events are compared with it. */
  readonly #held = new Map<string, NewRoute>();

  constructor(rtnetlink: Rtnetlink, options: ClusterRoutesOptions) {
    this.#rtnetlink = rtnetlink;
    this.#options = options;
  }

  /**
   * Makes the kernel hold what the state says of this family, where there is no tunnel. Returns in words what was changed.
   * @throws KernelError for the first change that the kernel refuses, when all others have been made
   */
  synchronise(state: DesiredState): string[] {
    const changes = this.changes(state, undefined);
    const [refused] = this.#rtnetlink.ensureAll(changes);
    if (refused) throw refused.error;
    return changes.map(({ what }) => what);
  }

  /** What makes the kernel hold them; `tunnel` is the tunnel's device, without which there is no way through one. */
  changes(state: DesiredState, tunnel: number | undefined): Change[] {
    const wanted = new Map<string, NewRoute>();
    for (const [destination, program] of state.routes) {
      if (familyOf(destination) !== this.#options.family) continue;
      const route = this.#routeOf(destination, program, state, tunnel);
      if (route) wanted.set(destination, route);
    }
    this.#held.clear();
    for (const [destination, route] of wanted) this.#held.set(destination, route);
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

  /** Whether what the event tells is not as it should be, as far as can be said without asking the kernel. */
  contradicts(event: RoutingEvent): boolean {
    if (event.kind === 'resync') return true;
    if (event.kind !== 'route') return false;
    const { route, gone } = event;
    const wanted = this.#held.get(route.destination);
    if (gone) return wanted !== undefined && isSameRoute(route, wanted);
    return this.#isOurs(route) && !(wanted && isSameRoute(route, wanted));
  }

  /** Routes to the node's own pods may bear the same protocol; they lead straight over a link, and are not the overlay's. */
  #isOurs({ protocol, destination, type, via }: Route): boolean {
    if (protocol !== routeProtocol || familyOf(destination) !== this.#options.family) return false;
    return via !== undefined || type === 'blackhole';
  }

  #routeOf(
    destination: string,
    program: RouteProgram,
    state: DesiredState,
    tunnel: number | undefined,
  ): NewRoute | undefined {
    const base = { destination, protocol: routeProtocol };
    switch (program.kind) {
      case 'blackhole':
        return { ...base, type: 'blackhole' };
      case 'direct':
        return { ...base, via: program.nodeAddress, link: this.#options.parent, onlink: true };
      case 'vxlan': {
        const end = state.tunnelEndpoints.get(`${program.node}/${this.#options.family}`);
        return end && tunnel !== undefined
          ? { ...base, via: end.tunnelAddress, link: tunnel, onlink: true }
          : undefined;
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

function familyOf(destination: string): Family {
  return destination.includes(':') ? 6 : 4;
}
