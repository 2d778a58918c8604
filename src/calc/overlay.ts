// Where the cluster's blocks of addresses live, and how this node reaches them: tunnel endpoints and routes.
import {
  addressAt,
  type Cidr,
  cidrContains,
  cidrsOverlap,
  type Family,
  formatAddress,
  parseAddress,
  tryParseAddress,
  tryParseCidr,
} from '../net/index.ts';
import { type IPAMBlock, type IPPool, type Node, nodeAnnotations } from '../resources/index.ts';
import type { RouteProgram, TunnelEndpoint } from './desired-state.ts';

interface Pool {
  readonly cidr: Cidr;
  readonly vxlanMode: 'Never' | 'Always' | 'CrossSubnet';
}

interface NodeFacts {
  /** The node's own address with its subnet, per family. */
  readonly addresses: Partial<Record<Family, { readonly text: string; readonly subnet: Cidr | undefined }>>;
  readonly tunnels: Partial<Record<Family, TunnelEndpoint>>;
}

export class Overlay {
  readonly #self: string;
  readonly #pools = new Map<string, Pool>();
  readonly #nodes = new Map<string, NodeFacts>();
  readonly #blocks = new Map<string, IPAMBlock>();
  readonly #dirtyBlocks = new Set<string>();
  readonly #routesOfBlock = new Map<string, ReadonlyMap<string, RouteProgram>>();
  readonly #routes = new Map<string, RouteProgram>();
  readonly #tunnelEndpoints = new Map<string, TunnelEndpoint>();
  readonly #changedTunnelEndpoints = new Set<string>();

  /** `self` is the name of the node that all this is calculated for. */
  constructor(self: string) {
    this.#self = self;
  }

  get routes(): ReadonlyMap<string, RouteProgram> {
    return this.#routes;
  }

  get tunnelEndpoints(): ReadonlyMap<string, TunnelEndpoint> {
    return this.#tunnelEndpoints;
  }

  setPool(name: string, pool: IPPool | undefined): void {
    const cidr = pool && tryParseCidr(pool.spec.cidr);
    if (pool && cidr) this.#pools.set(name, { cidr, vxlanMode: pool.spec.vxlanMode ?? 'Never' });
    else this.#pools.delete(name);
    this.#allBlocksAreDirty();
  }

  setBlock(name: string, block: IPAMBlock | undefined): void {
    if (block) this.#blocks.set(name, block);
    else this.#blocks.delete(name);
    this.#dirtyBlocks.add(name);
  }

  setNode(name: string, node: Node | undefined): void {
    const before = this.#nodes.get(name);
    const facts = node && factsOf(node);
    if (JSON.stringify(before, textOfBigints) === JSON.stringify(facts, textOfBigints)) return;
    if (facts) this.#nodes.set(name, facts);
    else this.#nodes.delete(name);
    for (const family of [4, 6] as const) {
      const key = `${name}/${family}`;
      const tunnel = name === this.#self ? undefined : facts?.tunnels[family];
      if (tunnel) this.#tunnelEndpoints.set(key, tunnel);
      else if (!this.#tunnelEndpoints.delete(key)) continue;
      this.#changedTunnelEndpoints.add(key);
    }
    // Any block may hold addresses that live on this node.
    this.#allBlocksAreDirty();
  }

  get hasChanges(): boolean {
    return this.#dirtyBlocks.size > 0 || this.#changedTunnelEndpoints.size > 0;
  }

  takeChanges(): { routes: Set<string>; tunnelEndpoints: Set<string> } {
    const routes = new Set<string>();
    for (const name of this.#dirtyBlocks) {
      const block = this.#blocks.get(name);
      const before = this.#routesOfBlock.get(name) ?? new Map<string, RouteProgram>();
      const after = block ? this.#blockRoutes(block) : new Map<string, RouteProgram>();
      for (const destination of before.keys()) {
        if (after.has(destination)) continue;
        this.#routes.delete(destination);
        routes.add(destination);
      }
      for (const [destination, route] of after) {
        if (JSON.stringify(this.#routes.get(destination)) === JSON.stringify(route)) continue;
        this.#routes.set(destination, route);
        routes.add(destination);
      }
      if (after.size > 0) this.#routesOfBlock.set(name, after);
      else this.#routesOfBlock.delete(name);
    }
    const tunnelEndpoints = new Set(this.#changedTunnelEndpoints);
    this.#dirtyBlocks.clear();
    this.#changedTunnelEndpoints.clear();
    return { routes, tunnelEndpoints };
  }

  #allBlocksAreDirty(): void {
    for (const name of this.#blocks.keys()) this.#dirtyBlocks.add(name);
  }

  /** One route for the block itself, and one for every address in it that lives elsewhere than the block. */
  #blockRoutes(block: IPAMBlock): Map<string, RouteProgram> {
    const routes = new Map<string, RouteProgram>();
    const cidr = tryParseCidr(block.spec.cidr);
    const pool = cidr && [...this.#pools.values()].find((candidate) => cidrsOverlap(candidate.cidr, cidr));
    if (!cidr || !pool || pool.vxlanMode === 'Never') return routes;
    const owner = block.spec.affinity?.startsWith('host:')
      ? block.spec.affinity.slice('host:'.length)
      : undefined;
    const put = (destination: string, route: RouteProgram | undefined) => {
      if (route) routes.set(destination, route);
    };
    if (owner === this.#self) put(block.spec.cidr, { kind: 'blackhole' });
    else if (owner !== undefined) put(block.spec.cidr, this.#routeTo(owner, cidr.family, pool));
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
      pool.vxlanMode === 'CrossSubnet' &&
      address &&
      ownSubnet &&
      cidrContains(ownSubnet, parseAddress(address.text))
    ) {
      return { kind: 'direct', node, nodeAddress: address.text };
    }
    return facts?.tunnels[family] && { kind: 'vxlan', node };
  }
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
    const text = read(names.address).split('/')[0] ?? '';
    if (tryParseAddress(text)?.family !== family) continue;
    addresses[family] = { text, subnet: tryParseCidr(read(names.address)) };
    const tunnelAddress = read(names.tunnel);
    const mac = read(names.mac);
    if (tryParseAddress(tunnelAddress)?.family === family && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) {
      tunnels[family] = { family, nodeAddress: text, tunnelAddress, mac: mac.toLowerCase() };
    }
  }
  return { addresses, tunnels };
}

function textOfBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
