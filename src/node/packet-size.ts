// How large packets may be: in the overlay, and from pods whichever way they take.
import type { FelixSettings } from '../felix/index.ts';
import type { Link } from '../kernel/index.ts';
import type { Family } from '../net/index.ts';
import type { NodeAddress } from './detect-address.ts';
import type { Tunnel } from './tunnel.ts';

/** What VXLAN adds to a packet: outer Ethernet, IP, UDP and VXLAN headers. */
const vxlanOverheads: Readonly<Record<Family, number>> = { 4: 50, 6: 70 };

/** Bytes: as it was set, or what the underlay leaves. */
export function overlayMtu(family: Family, { link }: NodeAddress, settings: FelixSettings): number {
  return (family === 4 ? settings.vxlanMTU : settings.vxlanMTUV6) || link.mtu - vxlanOverheads[family];
}

/** The largest packet that gets through whichever way it takes, in bytes. `links` are all that the node has. */
export function podMtu(
  addresses: ReadonlyMap<Family, NodeAddress>,
  tunnels: readonly Tunnel[],
  settings: FelixSettings,
  links: readonly Link[],
): number {
  const { value: pattern } = settings.mtuIfacePattern;
  const others = links.filter(({ name, up }) => up && pattern?.test(name)).map(({ mtu }) => mtu);
  const sizes = [...addresses].map(([family, own]) =>
    tunnels.some((tunnel) => tunnel.family === family) ? overlayMtu(family, own, settings) : own.link.mtu,
  );
  const hasOverlay = tunnels.length > 0;
  const ownNetwork = hasOverlay
    ? others.map((mtu) => mtu - Math.max(...tunnels.map(({ family }) => vxlanOverheads[family])))
    : others;
  return Math.min(...sizes, ...(settings.vxlanMTU || settings.vxlanMTUV6 ? [] : ownNetwork));
}
