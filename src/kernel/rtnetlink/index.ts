// Links, addresses, routes, neighbours: changes as values, listings as plain objects, events.
export { addAddress, deleteAddress, type LinkAddress, type NewLinkAddress } from './address.ts';
export type { Change } from './change.ts';
export type { Link, LinkReference, Vxlan } from './link.ts';
export {
  addBridge,
  addVeth,
  addVxlan,
  deleteLink,
  deleteLinkGroup,
  type LinkSettings,
  type NewVeth,
  setLink,
} from './link-changes.ts';
export {
  addNeighbour,
  addProxyNeighbour,
  deleteForwardingEntry,
  deleteNeighbour,
  deleteProxyNeighbour,
  type ForwardingEntry,
  type Neighbour,
  type NewForwardingEntry,
  type NewNeighbour,
  replaceForwardingEntry,
  replaceNeighbour,
} from './neighbour.ts';
export {
  addRoute,
  birdProtocol,
  deleteRoute,
  felixProtocol,
  mainTable,
  type NewRoute,
  type Route,
  replaceRoute,
} from './route.ts';
export { type RefusedChange, Rtnetlink } from './rtnetlink.ts';
export {
  type RoutingEvent,
  type RoutingTopic,
  type RoutingWatchOptions,
  watchRouting,
} from './watch-routing.ts';
