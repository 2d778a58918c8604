// A pod's link: a veth pair with one end in the pod's namespace and one on the host, and all that makes packets flow over
// it once the host's end is up. Addresses are whole (/32, /128); the pod's next hop is the same everywhere.
// Who may use it is not decided here: the caller opens the host's end when the pod's policy is in the kernel.

import {
  addAddress,
  addRoute,
  addVeth,
  type Change,
  closeNamespace,
  deleteLink,
  type Link,
  openNamespace,
  Rtnetlink,
  replaceNeighbour,
  replaceRoute,
  setLink,
  writeSysctls,
} from '../../kernel/index.ts';
import { bitsOf, type Family, parseAddress } from '../../net/index.ts';

/** Every host's end has it; names and addresses tell pods apart, not this. */
const hostMac = 'ee:ee:ee:ee:ee:ee';

/** What a pod sends to when it sends anywhere. IPv6: the link-local address that the host's MAC address gives (RFC 4291 appendix A). */
const nextHops: Readonly<Record<Family, string>> = { 4: '169.254.1.1', 6: 'fe80::ecee:eeff:feee:eeee' };

/** Felix' default deviceRouteProtocol: RTPROT_BOOT. */
const deviceRouteProtocol = 3;

export interface PodLinkRequest {
  /** Host's end. */
  readonly interfaceName: string;
  readonly podInterfaceName: string;
  readonly podNamespacePath: string;
  /** Canonical text, at most one per family. */
  readonly addresses: readonly string[];
  /** Bytes. */
  readonly mtu: number;
  /** Whether the pod forwards packets between its links. */
  readonly allowIpForwarding: boolean;
}

/** A link that is complete but closed: the host's end is down. */
export interface PodLink {
  readonly interfaceName: string;
  /** Index of the host's end. */
  readonly index: number;
  readonly hostMac: string;
  readonly podMac: string;
  readonly addresses: readonly string[];
}

export class PodLinks {
  readonly #rtnetlink: Rtnetlink;
  readonly #namespace: number;

  /** `namespace` is the node's, as a file descriptor, and `rtnetlink` belongs to it. */
  constructor(rtnetlink: Rtnetlink, namespace: number) {
    this.#rtnetlink = rtnetlink;
    this.#namespace = namespace;
  }

  /**
   * Makes the link, instead of one of that name that was left behind. The host's end stays down.
   * @throws KernelError, or Error with code ENOENT when the pod's namespace is gone
   */
  async attach(request: PodLinkRequest): Promise<PodLink> {
    const { interfaceName, podInterfaceName, podNamespacePath, addresses, mtu } = request;
    const namespace = openNamespace(podNamespacePath);
    try {
      if (this.#rtnetlink.link(interfaceName)) await this.detach(interfaceName);
      const peer = { name: podInterfaceName, mtu, namespace };
      this.#rtnetlink.apply(addVeth({ name: interfaceName, mac: hostMac, mtu, peer }));
      try {
        const host = this.#linkOf(interfaceName);
        this.#prepareHost(host, addresses);
        const podMac = preparePod(namespace, request);
        return { interfaceName, index: host.index, hostMac, podMac, addresses };
      } catch (error) {
        await this.detach(interfaceName);
        throw error;
      }
    } finally {
      closeNamespace(namespace);
    }
  }

  /** Brings the host's end up and routes the pod's addresses to it: from now on packets flow. */
  open({ index, podMac, addresses }: PodLink): void {
    const changes: Change[] = [setLink(index, { up: true })];
    for (const address of addresses) {
      changes.push(
        replaceRoute({ destination: wholeNet(address), protocol: deviceRouteProtocol, link: index }),
        // Nobody need ask for what is known.
        replaceNeighbour({ link: index, address, mac: podMac }),
      );
    }
    this.#applyAll(changes);
  }

  /** Removes the link, with its routes and neighbours, and the pod's end with it. Returns false when there was none. */
  detach(interfaceName: string): Promise<boolean> {
    return this.#rtnetlink.ensureAsync(deleteLink(interfaceName));
  }

  #prepareHost({ index, name }: Link, addresses: readonly string[]): void {
    const families = familiesOf(addresses);
    if (families.has(4)) {
      const conf = `net/ipv4/conf/${name}`;
      writeSysctls(this.#namespace, {
        // Host ports on 127.0.0.1 reach pods.
        [`${conf}/route_localnet`]: 1,
        // The neighbour is permanent in the pod; these serve pods that flush their neighbours.
        [`net/ipv4/neigh/${name}/proxy_delay`]: 0,
        [`${conf}/proxy_arp`]: 1,
        [`${conf}/forwarding`]: 1,
      });
    }
    if (families.has(6)) {
      const conf = `net/ipv6/conf/${name}`;
      writeSysctls(this.#namespace, {
        [`${conf}/accept_dad`]: 0,
        [`${conf}/disable_ipv6`]: 0,
        [`${conf}/proxy_ndp`]: 1,
        [`${conf}/forwarding`]: 1,
        [`${conf}/accept_ra`]: 0,
      });
      // The kernel makes the very same one when it derives addresses from MAC addresses, which can be switched off.
      this.#rtnetlink.ensure(
        addAddress({ link: index, address: nextHops[6], prefixLength: 64, noDad: true }),
      );
    }
  }

  #linkOf(name: string): Link {
    const link = this.#rtnetlink.link(name);
    if (!link) throw new Error(`The link "${name}" was removed while it was being set up`);
    return link;
  }

  #applyAll(changes: readonly Change[]): void {
    const [refused] = this.#rtnetlink.applyAll(changes);
    if (refused) throw refused.error;
  }
}

/** Sets the pod's end up, and returns its MAC address. */
function preparePod(namespace: number, request: PodLinkRequest): string {
  const { podInterfaceName, addresses, allowIpForwarding } = request;
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
  const changes: Change[] = [setLink(link.index, { up: true })];
  for (const address of addresses) {
    const { family } = parseAddress(address);
    const via = nextHops[family];
    changes.push(
      addAddress({ link: link.index, address, prefixLength: bitsOf(family), noDad: family === 6 }),
    );
    if (family === 4)
      changes.push(addRoute({ destination: wholeNet(via), protocol: deviceRouteProtocol, link: link.index }));
    changes.push(
      addRoute({
        destination: family === 4 ? '0.0.0.0/0' : '::/0',
        via,
        protocol: deviceRouteProtocol,
        link: link.index,
      }),
      replaceNeighbour({ link: link.index, address: via, mac: hostMac }),
    );
  }
  const [refused] = rtnetlink.applyAll(changes);
  if (refused) throw refused.error;
  return link.mac;
}

function familiesOf(addresses: readonly string[]): Set<Family> {
  return new Set(addresses.map((address) => parseAddress(address).family));
}

function wholeNet(address: string): string {
  return `${address}/${bitsOf(parseAddress(address).family)}`;
}
