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
  readonly namespacePath: string;
}

/** 172.30.0.0/24: the bridge is .1, nodes follow from .11 on. */
const network = '172.30.0';
const prefixLength = 24;
const firstNode = 11;
/** rtnetlink's number for routes made by whoever set the machine up. */
const bootProtocol = 3;

export class Underlay {
  /** The bridge's address: every node's default route, and where the API server listens for nodes. */
  readonly gateway = `${network}.1`;
  /** Descriptor of the underlay's own namespace. */
  readonly namespace: number;
  readonly #prefix: string;
  readonly #nodes = new Map<string, UnderlayNode & { readonly namespace: number }>();

  private constructor(prefix: string) {
    this.#prefix = prefix;
    this.namespace = makeNamespace(`${prefix}.underlay`);
  }

  /** Makes the underlay and its nodes; every namespace's name begins with the prefix and a dot. @throws KernelError */
  static make(prefix: string, nodes: number): Underlay {
    const underlay = new Underlay(prefix);
    using netlink = Rtnetlink.open({ namespace: underlay.namespace });
    netlink.apply(addBridge({ name: 'bridge', up: true }));
    const bridge = indexOf(netlink, 'bridge');
    netlink.apply(addAddress({ link: bridge, address: underlay.gateway, prefixLength }));
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
    return this.#cable(netlink, indexOf(netlink, 'bridge'), name, `${network}.${host}`);
  }

  /** Lets go of the namespaces; their names remain for `removeRun`. */
  close(): void {
    for (const { namespace } of this.#nodes.values()) closeNamespace(namespace);
    closeNamespace(this.namespace);
  }

  #addNode(underlay: Rtnetlink, bridge: number, number: number): void {
    const node = this.#cable(underlay, bridge, `node-${number}`, `${network}.${firstNode + number - 1}`);
    this.#nodes.set(node.name, node);
  }

  /** Makes a namespace and lays a cable from it to the bridge. */
  #cable(underlay: Rtnetlink, bridge: number, name: string, address: string) {
    const namespace = makeNamespace(`${this.#prefix}.${name}`);
    underlay.apply(addVeth({ name, master: bridge, up: true, peer: { name: 'eth0', namespace } }));
    using netlink = Rtnetlink.open({ namespace });
    const link = indexOf(netlink, 'eth0');
    netlink.apply(setLink(link, { up: true }));
    netlink.apply(addAddress({ link, address, prefixLength }));
    netlink.apply(addRoute({ destination: '0.0.0.0/0', via: this.gateway, link, protocol: bootProtocol }));
    return { name, address, namespace, namespacePath: namespacePath(`${this.#prefix}.${name}`) };
  }
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
