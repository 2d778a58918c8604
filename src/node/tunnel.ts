// This node's end of the VXLAN overlay: its address, drawn from IPAM once and kept, and its MAC address.
import { tunnelMac } from '../calc/index.ts';
import { type Datastore, UnavailableError } from '../datastore/index.ts';
import { type IpamClient, isOpenTo, type NodeLabels, readNodeLabels } from '../ipam/index.ts';
import {
  type Address,
  cidrContains,
  type Family,
  formatAddress,
  parseAddress,
  parseCidr,
  tryParseAddress,
  tryParseCidr,
} from '../net/index.ts';
import { type IPPool, ipPools, nodeAnnotations, nodes } from '../resources/index.ts';

export interface Tunnel {
  readonly family: Family;
  readonly address: string;
  readonly mac: string;
}

/** A tunnel that the pools want of the node, and for which there is no address now. */
export interface MissingTunnel {
  readonly family: Family;
  /** In a sentence. */
  readonly why: string;
}

/** At most one of each family, in one or the other list. */
export interface Tunnels {
  readonly tunnels: readonly Tunnel[];
  readonly missing: readonly MissingTunnel[];
}

const addressAnnotations = {
  4: nodeAnnotations.ipv4VxlanTunnelAddress,
  6: nodeAnnotations.ipv6VxlanTunnelAddress,
} as const;
const macAnnotations = { 4: nodeAnnotations.vxlanTunnelMac, 6: nodeAnnotations.vxlanTunnelMacV6 } as const;
const macPattern = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/**
 * One per family that has a pool with VXLAN which is open to the node; the address of a family that has none any more is given back.
 * The node does without those for which there is no address. @throws UnavailableError, and what keeps the node's object from being read
 */
export async function ensureTunnels(datastore: Datastore, ipam: IpamClient, node: string): Promise<Tunnels> {
  const [pools, { metadata }, labels] = await Promise.all([
    datastore.list(ipPools),
    datastore.get(nodes, { name: node }),
    readNodeLabels(datastore, node),
  ]);
  const tunnels: Tunnel[] = [];
  const missing: MissingTunnel[] = [];
  for (const family of [4, 6] as const) {
    try {
      const announced = tryParseAddress(metadata.annotations?.[addressAnnotations[family]] ?? '');
      const address = await ensureAddress(ipam, { node, labels, family, pools, announced });
      if (!address) continue;
      // Peers may have learnt of another, from a Calico that drew it by chance: then it stays.
      const known = metadata.annotations?.[macAnnotations[family]] ?? '';
      const mac = macPattern.test(known) ? known.toLowerCase() : tunnelMac(node, family);
      tunnels.push({ family, address: formatAddress(address), mac });
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      // Whatever else keeps it from one address, the node has more to do.
      missing.push({ family, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { tunnels, missing };
}

/** What the pools say of a node's tunnel. */
export interface TunnelPlace {
  readonly labels: NodeLabels;
  readonly family: Family;
  readonly pools: readonly IPPool[];
}

/** Whether `ensureTunnels` would make of these tunnels something else, if there is an address for each. */
export function areTunnelsDue(tunnels: readonly Tunnel[], place: Omit<TunnelPlace, 'family'>): boolean {
  return ([4, 6] as const).some((family) => {
    const tunnel = tunnels.find((candidate) => candidate.family === family);
    if (tunnel) return !isInVxlanPool(parseAddress(tunnel.address), { ...place, family });
    return openPools({ ...place, family }).length > 0;
  });
}

/** Also of a pool that is closed by now: its pods are still reached that way. */
function isInVxlanPool(address: Address, place: TunnelPlace): boolean {
  return vxlanPools(place).some(({ spec }) => cidrContains(parseCidr(spec.cidr), address));
}

function openPools(place: TunnelPlace): IPPool[] {
  return vxlanPools(place).filter((pool) => isOpenTo(pool, place.labels));
}

function vxlanPools({ family, pools }: TunnelPlace): IPPool[] {
  return pools.filter(
    (pool) => (pool.spec.vxlanMode ?? 'Never') !== 'Never' && tryParseCidr(pool.spec.cidr)?.family === family,
  );
}

async function ensureAddress(
  ipam: IpamClient,
  tunnel: TunnelPlace & { readonly node: string; readonly announced: Address | undefined },
): Promise<Address | undefined> {
  const { node, family, announced } = tunnel;
  const version = family === 4 ? '' : 'v6-';
  const handleId = `vxlan-${version}tunnel-addr-${node}`;
  const { addresses: held, unreadable } = await ipam.holdingsOf(handleId);
  const usable = held.filter((address) => isInVxlanPool(address, tunnel));
  const known = announced && isInVxlanPool(announced, tunnel) ? announced : undefined;
  // One that its peers know goes before others, which are collected as garbage then. Where the block cannot be read that it lies in,
  // the handle says still that the node holds something there, and nobody gives it to another.
  const mayHold =
    known &&
    (usable.some((address) => formatAddress(address) === formatAddress(known)) ||
      unreadable.some((block) => cidrContains(block, known)));
  const kept = mayHold ? known : usable[0];
  if (kept) return kept;
  // Of a pool that is gone: its peers would have no route there.
  if (held.length > 0) await ipam.releaseByHandle(handleId);
  const open = openPools(tunnel);
  if (open.length === 0) return undefined;
  const [address] = await ipam.autoAssign({
    node,
    count: { [family]: 1 },
    handleId,
    attributes: { node, type: family === 4 ? 'vxlanTunnelAddress' : 'vxlanV6TunnelAddress' },
    use: 'Tunnel',
    pools: { [family]: open.map(({ spec }) => spec.cidr) },
  });
  return address;
}
