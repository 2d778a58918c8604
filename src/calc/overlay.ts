// Where the cluster's pods live, by its blocks of addresses or by the pods themselves, and how this node reaches them: tunnel
// endpoints and routes.
import {
  addressAt,
  type Cidr,
  cidrContains,
  cidrsOverlap,
  type Family,
  formatAddress,
  formatCidr,
  parseAddress,
  tryParseAddress,
  tryParseCidr,
} from '../net/index.ts';
import { type IPAMBlock, type IPPool, type Node, nodeAnnotations } from '../resources/index.ts';
import type { RouteProgram, TunnelEndpoint } from './desired-state.ts';
import { type AnnouncedEnd, settleRivals } from './tunnel-rivals.ts';

interface Pool {
  readonly cidr: Cidr;
  readonly vxlanMode: 'Never' | 'Always' | 'CrossSubnet';
  /** Nothing wraps its pods' packets. */
  readonly isPlain: boolean;
}

export interface OverlayOptions {
  /** Whether blocks say where addresses live, one route each, or every pod for itself: Felix' routeSource. */
  readonly routeSource?: 'CalicoIPAM' | 'WorkloadIPs';
  /** Pools without encapsulation have routes, too, as far as the node shares a subnet with others: Felix' programClusterRoutes. */
  readonly routesPlainPools?: boolean;
  /** Told in a sentence of each node whose tunnel cannot be used as announced, once until that changes. */
  readonly onFault?: (sentence: string) => void;
}

/** Where a pod's addresses live. */
interface Place {
  readonly node: string;
  readonly addresses: readonly string[];
}

interface NodeFacts {
  readonly since: string;
  /** The node's own address with its subnet, per family. */
  readonly addresses: Partial<Record<Family, { readonly text: string; readonly subnet: Cidr | undefined }>>;
  readonly tunnels: Partial<Record<Family, TunnelEndpoint>>;
}

export class Overlay {
  readonly #self: string;
  readonly #options: OverlayOptions;
  readonly #pools = new Map<string, Pool>();
  readonly #nodes = new Map<string, NodeFacts>();
  readonly #blocks = new Map<string, IPAMBlock>();
  readonly #pods = new Map<string, Place>();
  /** What has routes: "block NAME", "pod NAMESPACE/NAME", "node NAME". */
  readonly #dirty = new Set<string>();
  /** What lives on each node, wholly or in part: all that its change can concern. And the other way round. */
  readonly #sourcesOn = new Map<string, Set<string>>();
  readonly #nodesOf = new Map<string, ReadonlySet<string>>();
  readonly #routesOf = new Map<string, ReadonlyMap<string, RouteProgram>>();
  /** By destination, from whom it has a route: an address may pass from one pod to another before the first is gone. */
  readonly #claims = new Map<string, Map<string, RouteProgram>>();
  readonly #routes = new Map<string, RouteProgram>();
  readonly #tunnelEndpoints = new Map<string, TunnelEndpoint>();
  readonly #changedTunnelEndpoints = new Set<string>();
  #tunnelFaults: ReadonlyMap<string, string> = new Map();
  #areTunnelsDirty = false;

  /** `self` is the name of the node that all this is calculated for. */
  constructor(self: string, options: OverlayOptions = {}) {
    this.#self = self;
    this.#options = options;
  }

  get routes(): ReadonlyMap<string, RouteProgram> {
    return this.#routes;
  }

  get tunnelEndpoints(): ReadonlyMap<string, TunnelEndpoint> {
    return this.#tunnelEndpoints;
  }

  setPool(name: string, pool: IPPool | undefined): void {
    const cidr = pool && tryParseCidr(pool.spec.cidr);
    if (pool && cidr) {
      const { vxlanMode = 'Never', ipipMode = 'Never' } = pool.spec;
      this.#pools.set(name, { cidr, vxlanMode, isPlain: vxlanMode === 'Never' && ipipMode === 'Never' });
    } else this.#pools.delete(name);
    this.#allAreDirty();
  }

  setBlock(name: string, block: IPAMBlock | undefined): void {
    if (block) this.#blocks.set(name, block);
    else this.#blocks.delete(name);
    this.#note(`block ${name}`, block ? nodesOf(block) : new Set());
    // Who of two is right about an address, a block says.
    if (this.#tunnelFaults.size > 0) this.#areTunnelsDirty = true;
  }

  /** Undefined when it is gone, or has no node or no address. */
  setPod(key: string, place: Place | undefined): void {
    if (this.#options.routeSource !== 'WorkloadIPs') return;
    const before = this.#pods.get(key);
    if (before?.node === place?.node && before?.addresses.join() === place?.addresses.join()) return;
    if (place) this.#pods.set(key, place);
    else this.#pods.delete(key);
    this.#note(`pod ${key}`, new Set(place && [place.node]));
  }

  setNode(name: string, node: Node | undefined): void {
    const before = this.#nodes.get(name);
    const facts = node && factsOf(node);
    if (JSON.stringify(before, textOfBigints) === JSON.stringify(facts, textOfBigints)) return;
    if (facts) this.#nodes.set(name, facts);
    else this.#nodes.delete(name);
    this.#areTunnelsDirty = true;
    // Which other nodes are on our own link, and which behind a tunnel, our own address says.
    if (name === this.#self) this.#allAreDirty();
    else for (const source of this.#sourcesOn.get(name) ?? []) this.#dirty.add(source);
    this.#dirty.add(`node ${name}`);
  }

  get hasChanges(): boolean {
    return this.#dirty.size > 0 || this.#areTunnelsDirty;
  }

  takeChanges(): { routes: Set<string>; tunnelEndpoints: Set<string> } {
    this.#settleTunnels();
    const touched = new Set<string>();
    for (const source of this.#dirty) {
      const before = this.#routesOf.get(source) ?? new Map<string, RouteProgram>();
      const after = this.#routesFor(source);
      for (const destination of before.keys()) {
        this.#claims.get(destination)?.delete(source);
        touched.add(destination);
      }
      for (const [destination, route] of after) {
        const claims = this.#claims.get(destination) ?? new Map<string, RouteProgram>();
        this.#claims.set(destination, claims.set(source, route));
        touched.add(destination);
      }
      if (after.size > 0) this.#routesOf.set(source, after);
      else this.#routesOf.delete(source);
    }
    const routes = new Set([...touched].filter((destination) => this.#settle(destination)));
    const tunnelEndpoints = new Set(this.#changedTunnelEndpoints);
    this.#dirty.clear();
    this.#changedTunnelEndpoints.clear();
    return { routes, tunnelEndpoints };
  }

  #settleTunnels(): void {
    if (!this.#areTunnelsDirty) return;
    this.#areTunnelsDirty = false;
    const announced = [...this.#nodes].flatMap(([node, { since, tunnels }]): AnnouncedEnd[] =>
      node === this.#self ? [] : Object.values(tunnels).map((end) => ({ node, since, end })),
    );
    const { ends, faults } = settleRivals(announced, (node, address) => this.#isHolder(node, address));
    for (const key of new Set([...this.#tunnelEndpoints.keys(), ...ends.keys()])) {
      const end = ends.get(key);
      if (JSON.stringify(end) === JSON.stringify(this.#tunnelEndpoints.get(key))) continue;
      if (end) this.#tunnelEndpoints.set(key, end);
      else this.#tunnelEndpoints.delete(key);
      this.#changedTunnelEndpoints.add(key);
      const node = key.slice(0, key.lastIndexOf('/'));
      for (const source of this.#sourcesOn.get(node) ?? []) this.#dirty.add(source);
      this.#dirty.add(`node ${node}`);
    }
    for (const [key, sentence] of faults) {
      if (this.#tunnelFaults.get(key) !== sentence) this.#options.onFault?.(sentence);
    }
    this.#tunnelFaults = faults;
  }

  /** Whether a block says that the node's own tunnel has the address. */
  #isHolder(node: string, text: string): boolean {
    const address = parseAddress(text);
    for (const { spec } of this.#blocks.values()) {
      const cidr = tryParseCidr(spec.cidr);
      if (!cidr || !cidrContains(cidr, address)) continue;
      const attribute = spec.allocations[Number(address.value - addressAt(cidr, 0n).value)];
      const secondary = attribute == null ? undefined : spec.attributes[attribute]?.secondary;
      return secondary?.node === node && /^vxlan(V6)?TunnelAddress$/.test(secondary.type ?? '');
    }
    return false;
  }

  /** Of several claims the first by name counts, whatever the order in which they came. Returns whether the route is another. */
  #settle(destination: string): boolean {
    const claims = [...(this.#claims.get(destination) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const [, route] = claims[0] ?? [];
    if (!route) this.#claims.delete(destination);
    if (JSON.stringify(this.#routes.get(destination)) === JSON.stringify(route)) return false;
    if (route) this.#routes.set(destination, route);
    else this.#routes.delete(destination);
    return true;
  }

  #note(source: string, nodes: ReadonlySet<string>): void {
    this.#dirty.add(source);
    for (const node of this.#nodesOf.get(source) ?? []) {
      const sources = this.#sourcesOn.get(node);
      sources?.delete(source);
      if (sources?.size === 0) this.#sourcesOn.delete(node);
    }
    for (const node of nodes) {
      const sources = this.#sourcesOn.get(node);
      if (sources) sources.add(source);
      else this.#sourcesOn.set(node, new Set([source]));
    }
    if (nodes.size > 0) this.#nodesOf.set(source, nodes);
    else this.#nodesOf.delete(source);
  }

  #allAreDirty(): void {
    for (const name of this.#blocks.keys()) this.#dirty.add(`block ${name}`);
    for (const key of this.#pods.keys()) this.#dirty.add(`pod ${key}`);
    if (this.#options.routeSource !== 'WorkloadIPs') return;
    for (const name of this.#nodes.keys()) this.#dirty.add(`node ${name}`);
  }

  #routesFor(source: string): Map<string, RouteProgram> {
    const space = source.indexOf(' ');
    const [kind, name] = [source.slice(0, space), source.slice(space + 1)];
    if (this.#options.routeSource !== 'WorkloadIPs') {
      const block = kind === 'block' ? this.#blocks.get(name) : undefined;
      return block ? this.#blockRoutes(block) : new Map();
    }
    if (kind === 'pod') return this.#addressRoutes(this.#pods.get(name));
    const ends = kind === 'node' ? ([4, 6] as const).map((family) => this.#endOf(name, family)) : [];
    const addresses = ends.flatMap((end) => end?.tunnelAddress ?? []);
    return this.#addressRoutes({ node: name, addresses });
  }

  /** One for every address that lives on another node, in a pool that has routes. */
  #addressRoutes(place: Place | undefined): Map<string, RouteProgram> {
    const routes = new Map<string, RouteProgram>();
    if (!place || place.node === this.#self) return routes;
    for (const text of place.addresses) {
      const address = parseAddress(text);
      const pool = this.#poolWhere((cidr) => cidrContains(cidr, address));
      const route = pool && this.#hasRoutes(pool) && this.#routeTo(place.node, address.family, pool);
      if (route) routes.set(`${text}/${address.family === 4 ? 32 : 128}`, route);
    }
    return routes;
  }

  /** Of pools that overlap, the narrowest, and of those the first by name: whatever the order in which they came. */
  #poolWhere(isIt: (cidr: Cidr) => boolean): Pool | undefined {
    const [first] = [...this.#pools]
      .filter(([, { cidr }]) => isIt(cidr))
      .sort(([a, { cidr: one }], [b, { cidr: other }]) => other.length - one.length || (a < b ? -1 : 1));
    return first?.[1];
  }

  #hasRoutes({ vxlanMode, isPlain }: Pool): boolean {
    return vxlanMode !== 'Never' || (isPlain && this.#options.routesPlainPools === true);
  }

  /** One route for the block itself, and one for every address in it that lives elsewhere than the block. */
  #blockRoutes(block: IPAMBlock): Map<string, RouteProgram> {
    const routes = new Map<string, RouteProgram>();
    const cidr = tryParseCidr(block.spec.cidr);
    const pool = cidr && this.#poolWhere((candidate) => cidrsOverlap(candidate, cidr));
    if (!cidr || !pool || !this.#hasRoutes(pool)) return routes;
    const owner = ownerOf(block);
    const put = (destination: string, route: RouteProgram | undefined) => {
      if (route) routes.set(destination, route);
    };
    // In the words of the kernel, which has its own for what others write with bits behind the prefix.
    if (owner === this.#self) put(formatCidr(cidr), { kind: 'blackhole' });
    else if (owner !== undefined) put(formatCidr(cidr), this.#routeTo(owner, cidr.family, pool));
    for (const [ordinal, attribute] of block.spec.allocations.entries()) {
      const node = attribute == null ? undefined : block.spec.attributes[attribute]?.secondary?.node;
      if (node === undefined || node === owner || node === this.#self) continue;
      const address = formatAddress(addressAt(cidr, BigInt(ordinal)));
      put(`${address}/${cidr.family === 4 ? 32 : 128}`, this.#routeTo(node, cidr.family, pool));
    }
    return routes;
  }

  /** Undefined while too little is known of the node. */
  #routeTo(node: string, family: Family, pool: Pool): RouteProgram | undefined {
    const facts = this.#nodes.get(node);
    const address = facts?.addresses[family];
    const ownSubnet = this.#nodes.get(this.#self)?.addresses[family]?.subnet;
    if (
      (pool.vxlanMode === 'CrossSubnet' || pool.isPlain) &&
      address &&
      ownSubnet &&
      cidrContains(ownSubnet, parseAddress(address.text))
    ) {
      return { kind: 'direct', node, nodeAddress: address.text };
    }
    return pool.isPlain ? undefined : this.#endOf(node, family) && { kind: 'vxlan', node };
  }

  #endOf(node: string, family: Family): TunnelEndpoint | undefined {
    return this.#tunnelEndpoints.get(`${node}/${family}`);
  }
}

/** The node whose block it is. */
function ownerOf({ spec }: IPAMBlock): string | undefined {
  return spec.affinity?.startsWith('host:') ? spec.affinity.slice('host:'.length) : undefined;
}

/** That, and those on which addresses of it are used. */
function nodesOf(block: IPAMBlock): Set<string> {
  const nodes = [ownerOf(block), ...block.spec.attributes.map(({ secondary }) => secondary?.node)];
  return new Set(nodes.filter((node) => node !== undefined));
}

const annotationsOf = {
  4: {
    address: nodeAnnotations.ipv4Address,
    tunnel: nodeAnnotations.ipv4VxlanTunnelAddress,
    mac: nodeAnnotations.vxlanTunnelMac,
  },
  6: {
    address: nodeAnnotations.ipv6Address,
    tunnel: nodeAnnotations.ipv6VxlanTunnelAddress,
    mac: nodeAnnotations.vxlanTunnelMacV6,
  },
} as const;

function factsOf(node: Node): NodeFacts {
  const addresses: NodeFacts['addresses'] = {};
  const tunnels: NodeFacts['tunnels'] = {};
  for (const family of [4, 6] as const) {
    const names = annotationsOf[family];
    const read = (name: string) => node.metadata.annotations?.[name] ?? '';
    const own = tryParseAddress(read(names.address).split('/')[0] ?? '');
    if (own?.family !== family) continue;
    // As the kernel spells them, with whose words they are compared, and with each other.
    const text = formatAddress(own);
    addresses[family] = { text, subnet: tryParseCidr(read(names.address)) };
    const tunnel = tryParseAddress(read(names.tunnel));
    const mac = read(names.mac);
    if (tunnel?.family === family && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) {
      const tunnelAddress = formatAddress(tunnel);
      tunnels[family] = { family, nodeAddress: text, tunnelAddress, mac: mac.toLowerCase() };
    }
  }
  return { since: node.metadata.creationTimestamp ?? '', addresses, tunnels };
}

function textOfBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
