// Who uses which address, as pods and nodes say themselves; and whether the owner that an allocation names still does.

import { formatAddress, tryParseAddress } from '../../net/index.ts';
import type { Node, Pod } from '../../resources/index.ts';
import type { Allocation } from './allocations.ts';
import type { IpamSnapshot } from './snapshot.ts';

/** Annotations of a Node that hold addresses of tunnels, by what IPAM calls that use. */
const tunnelAnnotations: Readonly<Record<string, string>> = {
  ipipTunnelAddress: 'projectcalico.org/IPv4IPIPTunnelAddr',
  vxlanTunnelAddress: 'projectcalico.org/IPv4VXLANTunnelAddr',
  vxlanV6TunnelAddress: 'projectcalico.org/IPv6VXLANTunnelAddr',
  wireguardTunnelAddress: 'projectcalico.org/IPv4WireguardInterfaceAddr',
  wireguardV6TunnelAddress: 'projectcalico.org/IPv6WireguardInterfaceAddr',
};

export class Owners {
  readonly #pods = new Map<string, Pod>();
  readonly #nodes = new Map<string, Node>();
  readonly #users = new Map<string, string[]>();
  readonly #unreadable: IpamSnapshot['unreadable'];

  constructor({ pods, nodes, unreadable }: Pick<IpamSnapshot, 'pods' | 'nodes' | 'unreadable'>) {
    this.#unreadable = unreadable;
    for (const pod of pods) {
      this.#pods.set(`${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`, pod);
      if (hasEnded(pod) || pod.spec?.hostNetwork) continue;
      for (const address of toldBy(pod)) {
        this.#use(address, `pod ${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`);
      }
    }
    for (const node of nodes) {
      this.#nodes.set(node.metadata.name, node);
      for (const [type, annotation] of Object.entries(tunnelAnnotations)) {
        const address = canonical(node.metadata.annotations?.[annotation] ?? '');
        if (address) this.#use(address, `${type} of node ${node.metadata.name}`);
      }
    }
  }

  /** Every address in use, with who uses it: "pod shop/web-1". */
  get users(): ReadonlyMap<string, readonly string[]> {
    return this.#users;
  }

  hasNode(name: string): boolean {
    return this.#nodes.has(name) || this.#unreadable?.nodes.has(name) === true;
  }

  /** Why nobody needs the allocation any more; undefined while somebody does, or when we cannot tell. */
  whyLeaked({ address, handle, attributes }: Allocation): string | undefined {
    if (this.#users.has(address)) return undefined;
    // Of a virtual machine, which keeps it while no pod runs it.
    if (handle?.includes('.vmi.')) return undefined;
    const { pod, namespace, node, type } = attributes;
    if (type !== undefined && Object.hasOwn(tunnelAnnotations, type))
      return this.#whyTunnelLeaked(node, type);
    if (pod === undefined) {
      return node === undefined || this.hasNode(node) ? undefined : `node "${node}" does not exist`;
    }
    if (this.#unreadable?.pods.has(`${namespace ?? 'default'}/${pod}`)) return undefined;
    const owner = this.#pods.get(`${namespace ?? 'default'}/${pod}`);
    if (!owner) return `pod "${namespace ?? 'default'}/${pod}" does not exist`;
    if (hasEnded(owner)) return `pod "${namespace ?? 'default'}/${pod}" has ended`;
    // Another interface of the pod's sandbox, which another network made: only the first one's addresses are told of.
    const container = owner.metadata.annotations?.['cni.projectcalico.org/containerID'];
    if (container && handle?.endsWith(`.${container}`)) return undefined;
    const held = [...new Set([...announcedBy(owner), ...toldBy(owner)])];
    if (held.includes(address)) return undefined;
    // A pod without an address is being set up: this may be the one that it is about to get.
    return held.length === 0
      ? undefined
      : `pod "${namespace ?? 'default'}/${pod}" has ${held.join(', ')} instead`;
  }

  #whyTunnelLeaked(node: string | undefined, type: string): string | undefined {
    const owner = node === undefined ? undefined : this.#nodes.get(node);
    if (node !== undefined && this.#unreadable?.nodes.has(node)) return undefined;
    if (!owner) return `node "${node ?? ''}" does not exist`;
    const held = owner.metadata.annotations?.[tunnelAnnotations[type] ?? ''];
    return held ? `node "${node}" has ${held} instead` : undefined;
  }

  #use(address: string, user: string): void {
    const users = this.#users.get(address);
    if (users) users.push(user);
    else this.#users.set(address, [user]);
  }
}

function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** The kubelet's word. What whoever may write a pod says of others' addresses must not keep these from being collected. */
function toldBy({ status }: Pod): string[] {
  return (status?.podIPs ?? []).flatMap(({ ip }) => canonical(ip) ?? []);
}

/** The CNI plugin's word of the pod's own addresses, which comes sooner. */
function announcedBy({ metadata }: Pod): string[] {
  const texts = (metadata.annotations?.['cni.projectcalico.org/podIPs'] ?? '').split(',');
  return texts.flatMap((text) => canonical(text) ?? []);
}

function canonical(text: string): string | undefined {
  const address = tryParseAddress(text.replace(/\/\d+$/, ''));
  return address && formatAddress(address);
}
