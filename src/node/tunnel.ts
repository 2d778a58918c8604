// This node's end of the VXLAN overlay: its address, drawn from IPAM once and kept, and its MAC address.
import { createHash } from 'node:crypto';
import type { Datastore } from '../datastore/index.ts';
import type { IpamClient } from '../ipam/index.ts';
import { cidrContains, type Family, formatAddress, parseCidr, tryParseCidr } from '../net/index.ts';
import { type IPPool, ipPools } from '../resources/index.ts';

export interface Tunnel {
  readonly family: Family;
  readonly address: string;
  readonly mac: string;
}

/** One per family that has a pool with VXLAN; none for a family that has not. */
export async function ensureTunnels(datastore: Datastore, ipam: IpamClient, node: string): Promise<Tunnel[]> {
  const pools = (await datastore.list(ipPools)).filter(({ spec }) => (spec.vxlanMode ?? 'Never') !== 'Never');
  const tunnels: Tunnel[] = [];
  for (const family of [4, 6] as const) {
    const own = pools.filter(({ spec }) => tryParseCidr(spec.cidr)?.family === family);
    if (own.length > 0) tunnels.push(await ensureTunnel(ipam, node, family, own));
  }
  return tunnels;
}

async function ensureTunnel(
  ipam: IpamClient,
  node: string,
  family: Family,
  pools: readonly IPPool[],
): Promise<Tunnel> {
  const version = family === 4 ? '' : 'v6-';
  const handleId = `vxlan-${version}tunnel-addr-${node}`;
  const held = await ipam.addressesByHandle(handleId);
  const kept = held.find((address) => pools.some(({ spec }) => cidrContains(parseCidr(spec.cidr), address)));
  // Of a pool that is gone: its peers would have no route there.
  if (held.length > 0 && !kept) await ipam.releaseByHandle(handleId);
  const [address = undefined] = kept
    ? [kept]
    : await ipam.autoAssign({
        node,
        count: { [family]: 1 },
        handleId,
        attributes: { node, type: family === 4 ? 'vxlanTunnelAddress' : 'vxlanV6TunnelAddress' },
        use: 'Tunnel',
        pools: { [family]: pools.filter(({ spec }) => !spec.disabled).map(({ spec }) => spec.cidr) },
      });
  if (!address) throw new Error(`Cannot draw an address for the tunnel of node "${node}": no pool gave one`);
  return { family, address: formatAddress(address), mac: tunnelMac(family === 4 ? node : `${node}-v6`) };
}

/** Locally administered, and the same whenever the node comes back: 66 and five bytes of the SHA-1 of its name. */
function tunnelMac(name: string): string {
  const digest = createHash('sha1').update(name).digest();
  return [0x66, ...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
