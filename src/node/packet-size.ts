// How large packets may be: in the overlay, and from pods whichever way they take.
import type { FelixSettings } from '../felix/index.ts';
import type { Link } from '../kernel/index.ts';
import type { Family } from '../net/index.ts';
import type { NodeAddress } from './detect-address.ts';

/** What VXLAN adds to a packet: outer Ethernet, IP, UDP and VXLAN headers. */
const vxlanOverheads: Readonly<Record<Family, number>> = { 4: 50, 6: 70 };

/** What the kernel takes for a link that carries the family (`IPV4_MIN_MTU`, `IPV6_MIN_MTU`). */
const leastMtus: Readonly<Record<Family, number>> = { 4: 68, 6: 1280 };

/** Bytes: as it was set, as near as the kernel lets a tunnel come to that, or what the underlay leaves. */
export function overlayMtu(family: Family, { link }: NodeAddress, settings: FelixSettings): number {
  const most = link.mtu - vxlanOverheads[family];
  return Math.min(Math.max(settings[nameOf(family)] || most, leastMtus[family]), most);
}

/** Why the tunnel's packets are not as large as was set, in a sentence; undefined when they are. */
export function mtuFault(family: Family, own: NodeAddress, settings: FelixSettings): string | undefined {
  const [name, used] = [nameOf(family), overlayMtu(family, own, settings)];
  if (!settings[name] || settings[name] === used) return undefined;
  const { name: link, mtu } = own.link;
  return `${name} is ${settings[name]}, and must be from ${leastMtus[family]} to ${mtu - vxlanOverheads[family]} over "${link}", whose packets have ${mtu} bytes; ${used} is used`;
}

function nameOf(family: Family): 'vxlanMTU' | 'vxlanMTUV6' {
  return family === 4 ? 'vxlanMTU' : 'vxlanMTUV6';
}

/** The largest packet that gets through whichever way it takes, in bytes. `tunnels` are the families that have one; `links` all that the node has. */
export function podMtu(
  addresses: ReadonlyMap<Family, NodeAddress>,
  tunnels: readonly Family[],
  settings: FelixSettings,
  links: readonly Link[],
): number {
  const { value: pattern } = settings.mtuIfacePattern;
  const others = links.filter(({ name, up }) => up && pattern?.test(name)).map(({ mtu }) => mtu);
  const sizes = [...addresses].map(([family, own]) =>
    tunnels.includes(family) ? overlayMtu(family, own, settings) : own.link.mtu,
  );
  const hasOverlay = tunnels.length > 0;
  const ownNetwork = hasOverlay
    ? others.map((mtu) => mtu - Math.max(...tunnels.map((family) => vxlanOverheads[family])))
    : others;
  return Math.min(...sizes, ...(settings.vxlanMTU || settings.vxlanMTUV6 ? [] : ownNetwork));
}
