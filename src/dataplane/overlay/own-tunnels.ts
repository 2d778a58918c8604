// What a node's tunnels are called, and how one of them is known by whatever name somebody has given it.
import type { Link } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';

export const deviceNames: Readonly<Record<Family, string>> = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' };

/** The kernel keeps it with the link; `ip -d link` shows it. */
export const tunnelNotes: Readonly<Record<Family, string>> = {
  4: 'the tunnel of Calico for IPv4',
  6: 'the tunnel of Calico for IPv6',
};

/** Of which family this is the node's tunnel; undefined where it is somebody else's, or none: a bridge may bear our name. */
export function tunnelFamily({
  kind,
  name,
  alias,
}: Pick<Link, 'kind' | 'name' | 'alias'>): Family | undefined {
  if (kind !== 'vxlan') return undefined;
  return ([4, 6] as const).find((family) => alias === tunnelNotes[family] || name === deviceNames[family]);
}
