// How large packets may be: in the overlay, and from pods whichever way they take.
import type { FelixSettings } from '../felix/index.ts';
import type { Family } from '../net/index.ts';
import type { NodeAddress } from './detect-address.ts';
import type { Tunnel } from './tunnel.ts';

/** What VXLAN adds to a packet: outer Ethernet, IP, UDP and VXLAN headers. */
const vxlanOverheads: Readonly<Record<Family, number>> = { 4: 50, 6: 70 };

/** Bytes: as it was set, or what the underlay leaves. */
export function overlayMtu(family: Family, { link }: NodeAddress, settings: FelixSettings): number {
  return settings.vxlanMTU || link.mtu - vxlanOverheads[family];
}

/** The largest packet that gets through whichever way it takes, in bytes. */
export function podMtu(
  addresses: ReadonlyMap<Family, NodeAddress>,
  tunnels: readonly Tunnel[],
  settings: FelixSettings,
): number {
  const sizes = [...addresses].map(([family, own]) =>
    tunnels.some((tunnel) => tunnel.family === family) ? overlayMtu(family, own, settings) : own.link.mtu,
  );
  return Math.min(...sizes);
}
