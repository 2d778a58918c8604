// Routes with one next hop or none. A route with several is listed without any. Source: linux/rtnetlink.h (struct rtmsg, RTA_*).
//
//   struct rtmsg   0        1                 2                 3     4       5          6       7      8       12
//                  | family | dst prefix len. | src prefix len. | tos | table | protocol | scope | type | flags | attributes ...
import { Attributes, type MessageWriter, type NetlinkMessage } from '../netlink/index.ts';
import { AF_INET, inetBytes, inetFamily, inetText } from '../netlink/inet-address.ts';
import { addition, type Change, removal, replacement } from './change.ts';

export const rtmNewRoute = 24;
export const rtmDeleteRoute = 25;
export const rtmGetRoute = 26;

/** RTA_*. */
const rta = { destination: 1, link: 4, via: 5, metric: 6, source: 7, metrics: 8, table: 15 } as const;
const RTAX_MTU = 2;
const RTNH_F_ONLINK = 0x4;
/** A route that the kernel keeps for itself, of no table. */
const RTM_F_CLONED = 0x200;

const types = [
  'unspecified',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
] as const;
type RouteType = (typeof types)[number];

/** The table that routes are looked up in when no rule says otherwise. */
export const mainTable = 254;

/** RTPROT_BIRD: what BIRD marks its routes with. */
export const birdProtocol = 12;

/** What Felix marks its routes to other nodes' blocks with, and to the blocks of its own. */
export const felixProtocol = 80;

/** How far a destination is, as the kernel numbers it. IPv6 routes have no scope and are listed with 0. */
const scopes = { universe: 0, link: 253, host: 254 } as const;

export interface Route {
  /** A block in canonical text, with its length: "0.0.0.0/0" is the default route. */
  readonly destination: string;
  readonly type: RouteType;
  readonly table: number;
  /** Who made the route: 2 the kernel, 3 boot, 4 static; 80 is what Calico uses for its own. */
  readonly protocol: number;
  readonly scope: number;
  /** Address of the next hop. */
  readonly via?: string;
  /** The next hop is on the link, whatever its address looks like. */
  readonly onlink: boolean;
  /** Index of the link. */
  readonly link?: number;
  /** Lower is preferred. 0 when unset; the kernel makes that 1024 for IPv6. */
  readonly metric: number;
  /** Source address for what this host sends. */
  readonly source?: string;
  readonly mtu?: number;
}

/** A route to make: unicast, in the main table, and of the scope that ip-route(8) would give it, unless said otherwise. */
export type NewRoute = Pick<Route, 'destination' | 'protocol'> & Partial<Route>;

export function addRoute(route: NewRoute): Change {
  return addition(rtmNewRoute, textOf(route), (writer) => writeRoute(writer, route));
}

/** Replaces a route to the same destination with the same metric in the same table. */
export function replaceRoute(route: NewRoute): Change {
  return replacement(rtmNewRoute, textOf(route), (writer) => writeRoute(writer, route));
}

/** Deletes the first route that agrees in all that is said. */
export function deleteRoute(route: NewRoute): Change {
  return removal(rtmDeleteRoute, textOf(route), (writer) => writeRoute(writer, route));
}

export function writeRoute(writer: MessageWriter, route: NewRoute): void {
  const [address = '', length] = route.destination.split('/');
  if (length === undefined)
    throw new RangeError(`"${route.destination}" is not a destination: its length is missing`);
  const table = route.table ?? mainTable;
  writer.headerU8(inetFamily(address)).headerU8(Number(length)).headerU8(0).headerU8(0);
  // A table's number of more than eight bits has an attribute for it; the field is then "unspecified".
  writer.headerU8(table < 256 ? table : 0).headerU8(route.protocol);
  writer.headerU8(route.scope ?? usualScope(route)).headerU8(types.indexOf(route.type ?? 'unicast'));
  writer.headerU32(route.onlink ? RTNH_F_ONLINK : 0);
  writer.bytes(rta.destination, inetBytes(address)).u32(rta.table, table);
  if (route.link !== undefined) writer.u32(rta.link, route.link);
  if (route.via !== undefined) writer.bytes(rta.via, inetBytes(route.via));
  if (route.source !== undefined) writer.bytes(rta.source, inetBytes(route.source));
  if (route.metric) writer.u32(rta.metric, route.metric);
  if (route.mtu !== undefined) writer.beginNested(rta.metrics).u32(RTAX_MTU, route.mtu).endNested();
}

/** Reads RTM_NEWROUTE and RTM_DELROUTE. Undefined for what is not in any table. */
export function decodeRoute({ payload }: NetlinkMessage): Route | undefined {
  const flags = payload.readUInt32LE(8);
  if (flags & RTM_F_CLONED) return undefined;
  const attributes = new Attributes(payload, 12);
  const unspecified = payload[0] === AF_INET ? '0.0.0.0' : '::';
  const destination = attributes.bytes(rta.destination);
  const via = attributes.bytes(rta.via);
  const source = attributes.bytes(rta.source);
  const link = attributes.u32(rta.link);
  const mtu = attributes.nested(rta.metrics)?.u32(RTAX_MTU);
  return {
    destination: `${destination ? inetText(destination) : unspecified}/${payload[1]}`,
    type: types[payload[7] ?? 0] ?? 'unspecified',
    table: attributes.u32(rta.table) ?? payload[4] ?? 0,
    protocol: payload[5] ?? 0,
    scope: payload[6] ?? 0,
    ...(via && { via: inetText(via) }),
    onlink: (flags & RTNH_F_ONLINK) !== 0,
    ...(link !== undefined && { link }),
    metric: attributes.u32(rta.metric) ?? 0,
    ...(source && { source: inetText(source) }),
    ...(mtu !== undefined && { mtu }),
  };
}

function usualScope({ type = 'unicast', via, destination }: NewRoute): number {
  if (inetFamily(destination) !== AF_INET) return scopes.universe;
  if (type === 'local') return scopes.host;
  return type === 'unicast' && via === undefined ? scopes.link : scopes.universe;
}

function textOf({ destination, type, table, via, link }: NewRoute): string {
  const parts = [`the ${type && type !== 'unicast' ? `${type} ` : ''}route ${destination}`];
  if (via !== undefined) parts.push(`via ${via}`);
  if (link !== undefined) parts.push(`on link ${link}`);
  if (table !== undefined && table !== mainTable) parts.push(`in table ${table}`);
  return parts.join(' ');
}
