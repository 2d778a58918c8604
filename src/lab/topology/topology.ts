// Who speaks BGP with whom in a cluster, and who tells of what: put together from what each node's BIRD says of itself.
import type { LearnedRoute, Session } from '../../bgp/index.ts';

export interface Topology {
  /** Outside routers first, then reflectors, then the other nodes, each sorted by name. */
  readonly speakers: readonly Speaker[];
  readonly links: readonly Link[];
}

export interface Speaker {
  readonly name: string;
  readonly role: 'outside' | 'reflector' | 'node';
  readonly addresses: readonly string[];
  /** Absent when the node has no session that would tell. */
  readonly asNumber?: number;
  /** Destinations that it is the first to tell of. */
  readonly advertises: readonly string[];
  /** Why nothing is known of it. */
  readonly trouble?: string;
}

export interface Link {
  /** Names of the speakers at both ends, in the order of `Topology.speakers`. */
  readonly ends: readonly [string, string];
  readonly family: 4 | 6;
  readonly kind: 'mesh' | 'reflection' | 'iBGP' | 'eBGP';
  /** Whether both ends say so; the router outside is not asked. */
  readonly isUp: boolean;
  /** When the state of it last changed, as ISO 8601 has it. */
  readonly since: string;
  /** In BIRD's words; absent when it is up, or when BIRD says nothing. */
  readonly reason?: string;
}

/** One node, as its BIRD shows it. */
export interface Observation {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly isReflector: boolean;
  readonly sessions: readonly Session[];
  readonly routes: readonly LearnedRoute[];
  /** Its own routes that at least one peer is told. */
  readonly advertised: readonly string[];
  readonly trouble?: string;
}

/** @param outside names of routers that are no nodes, by address; one without a name goes by its address */
export function topologyOf(
  observations: readonly Observation[],
  outside: ReadonlyMap<string, string>,
): Topology {
  const nodes = observations.map(speakerOf);
  const owners = new Map(
    nodes.flatMap(({ name, addresses }) => addresses.map((one) => [one, name] as const)),
  );
  const strangers = strangersOf(observations, outside, owners);
  for (const { name, addresses } of strangers) for (const one of addresses) owners.set(one, name);
  const order = { outside: 0, reflector: 1, node: 2 } as const;
  const speakers = [...strangers, ...nodes].sort(
    (a, b) => order[a.role] - order[b.role] || a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
  return { speakers, links: linksOf(observations, owners, speakers) };
}

function speakerOf({ name, addresses, isReflector, sessions, advertised, trouble }: Observation): Speaker {
  const asNumber = sessions[0]?.localAsNumber;
  return {
    name,
    role: isReflector ? 'reflector' : 'node',
    addresses,
    ...(asNumber !== undefined && { asNumber }),
    advertises: sorted(advertised),
    ...(trouble !== undefined && { trouble }),
  };
}

/** Peers that are no nodes. What they tell of is what nodes learned from them and no node told of first. */
function strangersOf(
  observations: readonly Observation[],
  outside: ReadonlyMap<string, string>,
  owners: ReadonlyMap<string, string>,
): Speaker[] {
  const told = new Set(observations.flatMap(({ advertised }) => advertised));
  const found = new Map<string, Speaker & { addresses: string[]; advertises: string[] }>();
  for (const { sessions, routes } of observations) {
    for (const { peer, asNumber } of sessions) {
      if (owners.has(peer)) continue;
      const name = outside.get(peer) ?? peer;
      const known = found.get(name) ?? { name, role: 'outside', addresses: [], asNumber, advertises: [] };
      const learned = routes.filter((route) => route.peer === peer && !told.has(route.destination));
      known.addresses = [...new Set([...known.addresses, peer])];
      known.advertises = sorted([...known.advertises, ...learned.map(({ destination }) => destination)]);
      found.set(name, known);
    }
  }
  return [...found.values()];
}

function linksOf(
  observations: readonly Observation[],
  owners: ReadonlyMap<string, string>,
  speakers: readonly Speaker[],
): Link[] {
  const places = new Map(speakers.map(({ name, role }, place) => [name, { place, role }]));
  const found = new Map<string, Link>();
  for (const { name, sessions } of observations) {
    for (const session of sessions) {
      const other = owners.get(session.peer) ?? session.peer;
      const [here, there] = [places.get(name), places.get(other)];
      if (!here || !there) continue;
      const ends: [string, string] = here.place < there.place ? [name, other] : [other, name];
      const link = linkFrom(session, ends, here.role === 'reflector' || there.role === 'reflector');
      const key = `${ends.join(' ')} ${session.family}`;
      const first = found.get(key);
      // Both ends speak of one session: it is up when it is up at both, and the end that knows more is believed.
      if (!first || (first.isUp && !link.isUp) || (!first.isUp && !first.reason && link.reason)) {
        found.set(key, link);
      }
    }
  }
  const placeOf = (name: string) => places.get(name)?.place ?? 0;
  return [...found.values()].sort(
    (a, b) =>
      placeOf(a.ends[0]) - placeOf(b.ends[0]) ||
      placeOf(a.ends[1]) - placeOf(b.ends[1]) ||
      a.family - b.family,
  );
}

function linkFrom(session: Session, ends: [string, string], isReflected: boolean): Link {
  const { kind, family, asNumber, localAsNumber, state, since, reason } = session;
  const isInternal = asNumber === localAsNumber;
  return {
    ends,
    family,
    kind: kind === 'Mesh' ? 'mesh' : !isInternal ? 'eBGP' : isReflected ? 'reflection' : 'iBGP',
    isUp: state === 'Established',
    since: since.toISOString(),
    ...(state !== 'Established' && { reason: reason ? `${state}: ${reason}` : state }),
  };
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
