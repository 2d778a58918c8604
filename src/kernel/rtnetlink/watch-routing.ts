// Tells of changes to links, addresses, routes and neighbours in a namespace, whoever makes them.
import {
  Attributes,
  type NetlinkMessage,
  NetlinkSocket,
  type NetlinkSocketOptions,
  netlinkRoute,
  subscribe,
} from '../netlink/index.ts';
import type { Watch } from '../poller.ts';
import { decodeAddress, type LinkAddress, rtmDeleteAddress, rtmNewAddress } from './address.ts';
import { decodeLink, type Link, rtmDeleteLink, rtmNewLink } from './link.ts';
import {
  decodeForwardingEntry,
  decodeNeighbour,
  type ForwardingEntry,
  type Neighbour,
  rtmDeleteNeighbour,
  rtmNewNeighbour,
} from './neighbour.ts';
import { decodeRoute, type Route, rtmDeleteRoute, rtmNewRoute } from './route.ts';

/** RTNLGRP_*: for addresses and routes each family has its own. */
const groups = {
  links: [1],
  neighbours: [3],
  addresses: [5, 9],
  routes: [7, 11],
  settings: [24, 25],
} as const;

const rtmNewSettings = 80;
const netconfa = { link: 1, forwarding: 2 } as const;

/** Neighbours include forwarding entries. */
export type RoutingTopic = keyof typeof groups;

/** `gone` tells what has been deleted from what is new or has changed. */
export type RoutingEvent =
  | { readonly kind: 'link'; readonly gone: boolean; readonly link: Link }
  | { readonly kind: 'address'; readonly gone: boolean; readonly address: LinkAddress }
  | { readonly kind: 'route'; readonly gone: boolean; readonly route: Route }
  | { readonly kind: 'neighbour'; readonly gone: boolean; readonly neighbour: Neighbour }
  | { readonly kind: 'forwarding entry'; readonly gone: boolean; readonly entry: ForwardingEntry }
  /** Forwarding was switched, for a link or, with index -1, for all; of other settings the kernel does not tell. */
  | { readonly kind: 'forwarding'; readonly link: number; readonly enabled: boolean }
  /** Events were lost: what is believed must be read afresh. */
  | { readonly kind: 'resync' };

export interface RoutingWatchOptions extends NetlinkSocketOptions {
  readonly topics: readonly RoutingTopic[];
}

/** From when this returns, each change reaches the handler. Replacing a route may be told as one event, for the new one. */
export function watchRouting(
  { topics, ...options }: RoutingWatchOptions,
  handler: (events: readonly RoutingEvent[]) => void,
): Watch {
  const socket = NetlinkSocket.open(netlinkRoute, options);
  try {
    for (const topic of topics) for (const group of groups[topic]) socket.join(group);
    return subscribe(socket, {
      decode: decodeEvent,
      events: handler,
      lost: () => handler([{ kind: 'resync' }]),
    });
  } catch (error) {
    socket.close();
    throw error;
  }
}

function decodeEvent(message: NetlinkMessage): RoutingEvent | undefined {
  switch (message.type) {
    case rtmNewLink:
    case rtmDeleteLink: {
      const link = decodeLink(message);
      return link && { kind: 'link', gone: message.type === rtmDeleteLink, link };
    }
    case rtmNewAddress:
    case rtmDeleteAddress: {
      const address = decodeAddress(message);
      return address && { kind: 'address', gone: message.type === rtmDeleteAddress, address };
    }
    case rtmNewRoute:
    case rtmDeleteRoute: {
      const route = decodeRoute(message);
      return route && { kind: 'route', gone: message.type === rtmDeleteRoute, route };
    }
    case rtmNewNeighbour:
    case rtmDeleteNeighbour:
      return decodeNeighbourEvent(message, message.type === rtmDeleteNeighbour);
    case rtmNewSettings:
      return decodeSettings(message);
    default:
      return undefined;
  }
}

/** struct netconfmsg { u8 family; } padded to four bytes, then attributes. Source: linux/netconf.h */
function decodeSettings({ payload }: NetlinkMessage): RoutingEvent | undefined {
  const attributes = new Attributes(payload, 4);
  const link = attributes.u32(netconfa.link);
  const forwarding = attributes.u32(netconfa.forwarding);
  if (link === undefined || forwarding === undefined) return undefined;
  return { kind: 'forwarding', link: link | 0, enabled: forwarding !== 0 };
}

function decodeNeighbourEvent(message: NetlinkMessage, gone: boolean): RoutingEvent | undefined {
  const neighbour = decodeNeighbour(message);
  if (neighbour) return { kind: 'neighbour', gone, neighbour };
  const entry = decodeForwardingEntry(message);
  return entry && { kind: 'forwarding entry', gone, entry };
}
