// Routes as BIRD shows them ("show route all"): where to, which way, who said so, and whether they are in use.
import { type Family, familyOf } from '../../net/index.ts';
import type { BirdLine } from './control-socket.ts';
import type { Session } from './sessions.ts';

export interface LearnedRoute {
  readonly family: Family;
  readonly destination: string;
  /** FIB when it is the one in use, RIB when another is preferred. */
  readonly type: 'FIB' | 'RIB';
  /** More than one where traffic is spread. Neither is present where packets end ("blackhole"). */
  readonly hops: readonly { readonly gateway?: string; readonly interface?: string }[];
  readonly source: 'Kernel' | 'Static' | 'Direct' | 'NodeMesh' | 'BGPPeer';
  readonly peer?: string;
  /** Standard and large communities, "65000:1". */
  readonly communities: readonly string[];
}

type Growing = LearnedRoute & { hops: LearnedRoute['hops'][number][]; communities: string[] };

/** In BIRD's order. Sessions say whose name is whose. */
export function routesIn(lines: readonly BirdLine[], sessions: readonly Session[]): LearnedRoute[] {
  const byName = new Map(sessions.map((session) => [session.name, session]));
  const routes: Growing[] = [];
  let destination = '';
  for (const { text } of lines) {
    const [, net, rest] =
      /^(\S+\/\d+|\s{8,})\s+((?:unicast|blackhole|unreachable|prohibit) .*)$/.exec(text) ?? [];
    if (rest !== undefined) {
      if (net?.trim()) destination = net;
      routes.push(routeOf(destination, rest, byName));
      continue;
    }
    const route = routes.at(-1);
    if (!route) continue;
    const [, gateway, link] = /^\s+via (\S+) on (\S+)/.exec(text) ?? [];
    const [, device] = /^\s+dev (\S+)/.exec(text) ?? [];
    if (gateway && link) route.hops.push({ gateway, interface: link });
    else if (device) route.hops.push({ interface: device });
    else if (/^\s+BGP\.(large_)?community:/.test(text)) {
      for (const [, community = ''] of text.matchAll(/\(([^)]*)\)/g)) {
        route.communities.push(community.replaceAll(/,\s*/g, ':'));
      }
    }
  }
  return routes;
}

function routeOf(destination: string, text: string, sessions: ReadonlyMap<string, Session>): Growing {
  const [, name = ''] = /\[(\S+)/.exec(text) ?? [];
  const session = sessions.get(name);
  return {
    family: familyOf(destination),
    destination,
    type: /\] \*/.test(text) ? 'FIB' : 'RIB',
    hops: [],
    source: session ? (session.kind === 'Mesh' ? 'NodeMesh' : 'BGPPeer') : sourceOf(name),
    ...(session && { peer: session.peer }),
    communities: [],
  };
}

function sourceOf(protocol: string): LearnedRoute['source'] {
  if (protocol.startsWith('calico_kernel')) return 'Kernel';
  return protocol === 'calico_direct' ? 'Direct' : 'Static';
}
