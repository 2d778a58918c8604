// What a node's tunnels are called.
import type { Family } from '../../net/index.ts';

export const deviceNames: Readonly<Record<Family, string>> = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' };
