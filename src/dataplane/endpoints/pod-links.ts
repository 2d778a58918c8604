// A pod's link: a veth pair with one end in the pod's namespace and one on the host, and all that makes packets flow over
// it once the host's end is up. Addresses are whole (/32, /128); the pod's next hop is the same everywhere.
// Who may use it is not decided here: the caller opens the host's end when the pod's policy is in the kernel.

import {
  addAddress,
  addRoute,
  addVeth,
  closeNamespace,
  deleteLink,
  type Link,
  openNamespace,
  type Rtnetlink,
  replaceNeighbour,
  replaceRoute,
  setLink,
  writeSysctls,
} from '../../kernel/index.ts';
import { hostSettings } from './host-settings.ts';
import { type LinkFacts, linkFaults } from './link-faults.ts';
import {
  type DeviceRoutes,
  deviceRoute,
  familiesOf,
  hostMac,
  nextHops,
  plainDeviceRoutes,
  wholeNet,
} from './next-hop.ts';
import { type PodEndRequest, preparePodEnd } from './pod-end.ts';

export interface PodLinkRequest extends PodEndRequest {
  /** Host's end. */
  readonly interfaceName: string;
  readonly podNamespacePath: string;
  /** Bytes. */
  readonly mtu: number;
  /** Whose link it is: kept by the kernel with the host's end, so that it outlives us. At most 255 bytes. */
  readonly owner: string;
  /** Of the pod's end; the kernel makes one up when absent. */
  readonly podMac?: string;
  /** Of each kind at each end. */
  readonly queues?: number;
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

export interface PodLinksOptions {
  readonly routes: DeviceRoutes;
  /** Told of each link right after it was opened. */
  readonly onOpened: (link: PodLink) => void;
}

export class PodLinks {
  readonly #rtnetlink: Rtnetlink;
  readonly #namespace: number;
  readonly #routes: DeviceRoutes;
  readonly #onOpened: (link: PodLink) => void;

  /** `namespace` is the node's, as a file descriptor, and `rtnetlink` belongs to it. */
  constructor(
    rtnetlink: Rtnetlink,
    namespace: number,
    { routes = plainDeviceRoutes, onOpened = () => {} }: Partial<PodLinksOptions> = {},
  ) {
    this.#rtnetlink = rtnetlink;
    this.#namespace = namespace;
    this.#routes = routes;
    this.#onOpened = onOpened;
  }

  /**
   * Makes the link, instead of one of that name that was left behind. The host's end stays down.
   * @throws KernelError, or Error with code ENOENT when the pod's namespace is gone
   */
  async attach(request: PodLinkRequest): Promise<PodLink> {
    const { interfaceName, podInterfaceName, podNamespacePath, addresses, mtu, owner } = request;
    const namespace = openNamespace(podNamespacePath);
    try {
      if (this.#rtnetlink.link(interfaceName)) await this.detach(interfaceName);
      const { podMac: mac, queues } = request;
      const peer = { name: podInterfaceName, mtu, namespace, ...(mac && { mac }) };
      this.#rtnetlink.apply(
        addVeth({ name: interfaceName, mac: hostMac, mtu, peer, ...(queues && { queues }) }),
      );
      try {
        const host = this.#linkOf(interfaceName);
        this.#rtnetlink.apply(setLink(host.index, { alias: owner }));
        this.#prepareHost(host, addresses);
        const podMac = preparePodEnd(namespace, request);
        return { interfaceName, index: host.index, hostMac, podMac, addresses };
      } catch (error) {
        await this.detach(interfaceName);
        throw error;
      }
    } finally {
      closeNamespace(namespace);
    }
  }

  /**
   * Brings the host's end up and routes the pod's addresses to it: from now on packets flow.
   * @throws Error when another pod's link has one of the addresses
   */
  open(link: PodLink): void {
    const { index, podMac, addresses } = link;
    const refused = this.#rtnetlink.applyAll([
      setLink(index, { up: true }),
      ...addresses.flatMap((address) => [
        addRoute(deviceRoute(address, index, this.#routes)),
        // Nobody need ask for what is known.
        replaceNeighbour({ link: index, address, mac: podMac }),
      ]),
    ]);
    for (const { change, error } of refused) {
      if (!change.settled.includes(error.code)) throw error;
    }
    // The link is new: a route that exists leads elsewhere.
    if (refused.length > 0) for (const address of addresses) this.#takeOverRoute(address, index);
    this.#onOpened(link);
  }

  /** Removes the link, with its routes and neighbours, and the pod's end with it. Returns false when there was none. */
  detach(interfaceName: string): Promise<boolean> {
    return this.#rtnetlink.ensureAsync(deleteLink(interfaceName));
  }

  /** What `attach` was told; undefined when there is no such link, or a crash came before its owner was noted. */
  owner(interfaceName: string): string | undefined {
    return this.#rtnetlink.link(interfaceName)?.alias;
  }

  /** Every link that has an owner, by the name of its host's end; of others too, which the caller is to tell apart. */
  owners(): Map<string, string> {
    const owned = this.#rtnetlink
      .links()
      .flatMap(({ name, alias }) => (alias ? [[name, alias] as const] : []));
    return new Map(owned);
  }

  /** What is missing or wrong about an open link, a sentence each. @throws Error with code ENOENT when the pod's namespace is gone */
  faults(facts: LinkFacts): string[] {
    return linkFaults(this.#rtnetlink, facts);
  }

  #prepareHost({ index, name }: Link, addresses: readonly string[]): void {
    const families = familiesOf(addresses);
    for (const family of families) writeSysctls(this.#namespace, hostSettings(name, family));
    if (families.has(6)) {
      // The kernel makes the very same one when it derives addresses from MAC addresses, which can be switched off.
      this.#rtnetlink.ensure(
        addAddress({ link: index, address: nextHops[6], prefixLength: 64, noDad: true }),
      );
    }
  }

  /** Another node may have had the address before, and its route may not have gone yet; another pod here may not. */
  #takeOverRoute(address: string, index: number): void {
    const destination = wholeNet(address);
    const present = this.#rtnetlink
      .routes()
      .find((route) => route.destination === destination && route.link !== index);
    if (!present) return;
    const other = present.link === undefined ? undefined : this.#rtnetlink.link(present.link);
    // A tunnel has a note, too, and a route that way is the other node's.
    if (other?.kind === 'veth' && other.alias !== undefined) {
      throw new Error(`Cannot route ${address} to link ${index}: "${other.name}" has it (${other.alias})`);
    }
    this.#rtnetlink.apply(replaceRoute(deviceRoute(address, index, this.#routes)));
  }

  #linkOf(name: string): Link {
    const link = this.#rtnetlink.link(name);
    if (!link) throw new Error(`The link "${name}" was removed while it was being set up`);
    return link;
  }
}
