// The pod's end of its link: up, with the pod's addresses, a next hop that needs no asking for, and the routes over it.
import {
  addAddress,
  addRoute,
  type Change,
  Rtnetlink,
  replaceNeighbour,
  setLink,
  writeSysctls,
} from '../../kernel/index.ts';
import { bitsOf, parseAddress } from '../../net/index.ts';
import { deviceRouteProtocol, everything, familiesOf, hostMac, nextHops, wholeNet } from './next-hop.ts';

export interface PodEndRequest {
  readonly podInterfaceName: string;
  /** Canonical text, at most one per family. */
  readonly addresses: readonly string[];
  /** Whether the pod forwards packets between its links. */
  readonly allowIpForwarding: boolean;
  /** Whether everything is routed over this link, or only its next hop: another plugin says then where the rest goes. */
  readonly defaultRoutes: boolean;
}

/** Sets the pod's end up in its namespace, a file descriptor, and returns its MAC address. @throws KernelError */
export function preparePodEnd(namespace: number, request: PodEndRequest): string {
  const { podInterfaceName, addresses, allowIpForwarding, defaultRoutes } = request;
  const families = familiesOf(addresses);
  const forwarding = allowIpForwarding ? 1 : 0;
  writeSysctls(namespace, {
    'net/ipv4/ip_forward': forwarding,
    ...(families.has(6) && {
      'net/ipv6/conf/all/disable_ipv6': 0,
      'net/ipv6/conf/default/disable_ipv6': 0,
      'net/ipv6/conf/lo/disable_ipv6': 0,
      [`net/ipv6/conf/${podInterfaceName}/accept_dad`]: 0,
      'net/ipv6/conf/all/forwarding': forwarding,
    }),
  });
  using rtnetlink = Rtnetlink.open({ namespace });
  const link = rtnetlink.link(podInterfaceName);
  if (!link?.mac)
    throw new Error(`The pod's link "${podInterfaceName}" was removed while it was being set up`);
  const [refused] = rtnetlink.applyAll([
    setLink(link.index, { up: true }),
    ...addresses.flatMap((address) => addressChanges(link.index, address, defaultRoutes)),
  ]);
  if (refused) throw refused.error;
  return link.mac;
}

function addressChanges(link: number, address: string, defaultRoutes: boolean): Change[] {
  const { family } = parseAddress(address);
  const via = nextHops[family];
  const protocol = deviceRouteProtocol;
  const changes = [addAddress({ link, address, prefixLength: bitsOf(family), noDad: family === 6 })];
  // An IPv6 next hop is link-local, which every link routes by itself.
  if (family === 4) changes.push(addRoute({ destination: wholeNet(via), protocol, link }));
  if (defaultRoutes) changes.push(addRoute({ destination: everything(family), via, protocol, link }));
  changes.push(replaceNeighbour({ link, address: via, mac: hostMac }));
  return changes;
}
