// Routes of one family to where other nodes' pods live, over the underlay or through a tunnel, and what keeps the node's own
// blocks from going anywhere else.
import type { DesiredState, RouteProgram, TunnelEndpoint } from '../../calc/index.ts';
import {
  deleteRoute,
  felixProtocol,
  type NewRoute,
  type Route,
  type RoutingEvent,
  type Rtnetlink,
  replaceRoute,
} from '../../kernel/index.ts';
import { type Family, familyOf } from '../../net/index.ts';
import { makeChanges, type Outcome, type WayChange } from './way-changes.ts';

export interface ClusterRoutesOptions {
  readonly family: Family;
  /** Index of the link that carries the node's address. */
  readonly parent: number;
}

/** A tunnel's device, and the other nodes' ends of it by the names of their nodes. */
export interface TunnelWays {
  /** Index of the link. */
  readonly device: number;
  readonly ends: ReadonlyMap<string, TunnelEndpoint>;
}

export class ClusterRoutes {
  readonly family: Family;
  readonly #rtnetlink: Rtnetlink;
  readonly #options: ClusterRoutesOptions;
  /** What the kernel was last made to hold: events are compared with it. */
  readonly #held = new Map<string, NewRoute>();

  constructor(rtnetlink: Rtnetlink, options: ClusterRoutesOptions) {
    this.family = options.family;
    this.#rtnetlink = rtnetlink;
    this.#options = options;
  }

  /** Makes the kernel hold what the state says of this family, where there is no tunnel. */
  synchronise(state: DesiredState): Outcome {
    return makeChanges(this.#rtnetlink, this.changes(state, undefined));
  }

  /** What makes the kernel hold them; without `tunnel` there is no way through one. */
  changes(state: DesiredState, tunnel: TunnelWays | undefined): WayChange[] {
    const wanted = new Map<string, NewRoute>();
    for (const [destination, program] of state.routes) {
      if (familyOf(destination) !== this.#options.family) continue;
      const route = this.#routeOf(destination, program, tunnel);
      if (route) wanted.set(destination, route);
    }
    this.#held.clear();
    for (const [destination, route] of wanted) this.#held.set(destination, route);
    const changes: WayChange[] = [];
    for (const route of this.#rtnetlink.routes()) {
      if (!this.#isOurs(route)) continue;
      const target = wanted.get(route.destination);
      if (target && isSameRoute(route, target)) wanted.delete(route.destination);
      // The replacement takes a stale route's place; a deletion of its own is for what has no successor.
      else if (!target) changes.push({ change: deleteRoute(route), whose: route.destination });
    }
    for (const [destination, route] of wanted) {
      const program = state.routes.get(destination);
      const whose = program && program.kind !== 'blackhole' ? `node "${program.node}"` : destination;
      changes.push({ change: replaceRoute(route), whose });
    }
    return changes;
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
    if (protocol !== felixProtocol || familyOf(destination) !== this.#options.family) return false;
    return via !== undefined || type === 'blackhole';
  }

  #routeOf(destination: string, program: RouteProgram, tunnel: TunnelWays | undefined): NewRoute | undefined {
    const base = { destination, protocol: felixProtocol };
    switch (program.kind) {
      case 'blackhole':
        return { ...base, type: 'blackhole' };
      case 'direct':
        return { ...base, via: program.nodeAddress, link: this.#options.parent, onlink: true };
      case 'vxlan': {
        const end = tunnel?.ends.get(program.node);
        return tunnel && end
          ? { ...base, via: end.tunnelAddress, link: tunnel.device, onlink: true }
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
