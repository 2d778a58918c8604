// What the cluster stands on: a network namespace with a bridge for the underlay, and one for each node, on a cable to the
// bridge. Nothing of it is in the machine's own namespace, and nothing in it leads there.
import {
  addAddress,
  addBridge,
  addRoute,
  addVeth,
  closeNamespace,
  createNamespace,
  deleteLink,
  deleteNamespace,
  inNamespace,
  namespacePath,
  openNamespace,
  Rtnetlink,
  setLink,
} from '../kernel/index.ts';

export interface UnderlayNode {
  /** The node's name in Kubernetes: "node-1". */
  readonly name: string;
  readonly address: string;
  /** Where the underlay has both families. */
  readonly address6: string | undefined;
  readonly namespacePath: string;
}

/** 172.30.0.0/24: the bridge is .1, nodes follow from .11 on. And fd30::/64 with the same digits, where both families are wanted. */
const network = '172.30.0';
const prefixLength = 24;
const network6 = 'fd30::';
const prefixLength6 = 64;
const firstNode = 11;
/** rtnetlink's number for routes made by whoever set the machine up. */
const bootProtocol = 3;

export class Underlay {
  /** The bridge's address: every node's default route, and where the API server listens for nodes. */
  readonly gateway = `${network}.1`;
  readonly gateway6: string | undefined;
  /** Descriptor of the underlay's own namespace. */
  readonly namespace: number;
  readonly #prefix: string;
  readonly #nodes = new Map<string, UnderlayNode & { readonly namespace: number }>();

  private constructor(prefix: string, isDualStack: boolean) {
    this.#prefix = prefix;
    this.gateway6 = isDualStack ? `${network6}1` : undefined;
    this.namespace = makeNamespace(`${prefix}.underlay`);
  }

  /** Makes the underlay and its nodes; every namespace's name begins with the prefix and a dot. @throws KernelError */
  static make(prefix: string, nodes: number, { isDualStack = false } = {}): Underlay {
    const underlay = new Underlay(prefix, isDualStack);
    using netlink = Rtnetlink.open({ namespace: underlay.namespace });
    netlink.apply(addBridge({ name: 'bridge', up: true }));
    const bridge = indexOf(netlink, 'bridge');
    netlink.apply(addAddress({ link: bridge, address: underlay.gateway, prefixLength }));
    if (underlay.gateway6) netlink.apply(addAddress(alone(bridge, underlay.gateway6)));
    for (let number = 1; number <= nodes; number++) underlay.#addNode(netlink, bridge, number);
    return underlay;
  }

  get nodes(): UnderlayNode[] {
    return [...this.#nodes.values()];
  }

  /** @throws RangeError when there is no such node */
  node(name: string): UnderlayNode & { readonly namespace: number } {
    const node = this.#nodes.get(name);
    if (!node) throw new RangeError(`There is no node "${name}"`);
    return node;
  }

  /** What starts a process in a node's network namespace. */
  onNode(name: string): <T>(start: () => T) => T {
    const { namespace } = this.node(name);
    return (start) => inNamespace(namespace, start);
  }

  /** The node's network with all that is in it goes, and an empty one with the same address comes. @throws RangeError */
  replaceNode(name: string): void {
    const { namespace } = this.node(name);
    using netlink = Rtnetlink.open({ namespace: this.namespace });
    // Its cable goes with its namespace, but only when the kernel gets to that.
    const cable = netlink.link(name);
    if (cable) netlink.apply(deleteLink(cable.index));
    closeNamespace(namespace);
    deleteNamespace(`${this.#prefix}.${name}`);
    this.#addNode(netlink, indexOf(netlink, 'bridge'), Number(name.slice('node-'.length)));
  }

  /** Makes a namespace for a pod, as a container runtime does before it calls a CNI plugin; returns its path. */
  makePodNamespace(name: string): string {
    closeNamespace(makeNamespace(`${this.#prefix}.${name}`));
    return namespacePath(`${this.#prefix}.${name}`);
  }

  removePodNamespace(name: string): void {
    deleteNamespace(`${this.#prefix}.${name}`);
  }

  /** A machine beside the nodes, at the address that ends in `host`. */
  addMachine(name: string, host: number): UnderlayNode & { readonly namespace: number } {
    using netlink = Rtnetlink.open({ namespace: this.namespace });
    return this.#cable(netlink, indexOf(netlink, 'bridge'), name, host);
  }

  /** Lets go of the namespaces; their names remain for `removeRun`. */
  close(): void {
    for (const { namespace } of this.#nodes.values()) closeNamespace(namespace);
    closeNamespace(this.namespace);
  }

  #addNode(underlay: Rtnetlink, bridge: number, number: number): void {
    const node = this.#cable(underlay, bridge, `node-${number}`, firstNode + number - 1);
    this.#nodes.set(node.name, node);
  }

  /** Makes a namespace and lays a cable from it to the bridge. */
  #cable(underlay: Rtnetlink, bridge: number, name: string, host: number) {
    const address = `${network}.${host}`;
    const address6 = this.gateway6 && `${network6}${host}`;
    const namespace = makeNamespace(`${this.#prefix}.${name}`);
    underlay.apply(addVeth({ name, master: bridge, up: true, peer: { name: 'eth0', namespace } }));
    using netlink = Rtnetlink.open({ namespace });
    const link = indexOf(netlink, 'eth0');
    netlink.apply(setLink(link, { up: true }));
    netlink.apply(addAddress({ link, address, prefixLength }));
    netlink.apply(addRoute({ destination: '0.0.0.0/0', via: this.gateway, link, protocol: bootProtocol }));
    if (this.gateway6 && address6) {
      netlink.apply(addAddress(alone(link, address6)));
      netlink.apply(addRoute({ destination: '::/0', via: this.gateway6, link, protocol: bootProtocol }));
    }
    return { name, address, address6, namespace, namespacePath: namespacePath(`${this.#prefix}.${name}`) };
  }
}

/** Nobody else of the underlay has such an address, and so nobody is asked before it is used. */
function alone(link: number, address: string) {
  return { link, address, prefixLength: prefixLength6, noDad: true };
}

/** A new namespace whose loopback is up; returns its descriptor. */
function makeNamespace(name: string): number {
  createNamespace(name);
  const namespace = openNamespace(namespacePath(name));
  using netlink = Rtnetlink.open({ namespace });
  netlink.apply(setLink('lo', { up: true }));
  return namespace;
}

function indexOf(netlink: Rtnetlink, name: string): number {
  const link = netlink.link(name);
  if (!link) throw new Error(`The link "${name}" is not there although it was just made`);
  return link.index;
}
