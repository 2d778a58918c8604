// Node: Calico keeps a node's addresses and tunnel facts in annotations of the Kubernetes Node.
import { salvageSoundPart } from '../misfit.ts';
import type { Resource, ResourceKind } from '../resource.ts';

export interface Node extends Resource {
  spec?: { podCIDR?: string; podCIDRs?: string[]; unschedulable?: boolean };
  status?: {
    addresses?: { type: 'InternalIP' | 'ExternalIP' | 'Hostname'; address: string }[];
    conditions?: {
      type: string;
      status: 'True' | 'False' | 'Unknown';
      reason?: string;
      message?: string;
      lastTransitionTime?: string;
      lastHeartbeatTime?: string;
    }[];
    nodeInfo?: Record<string, string>;
  };
}

export const nodes: ResourceKind<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  hasStatus: true,
  // A node's own agent starts with what is sound; the others have no use for half of a node.
  salvage: (object, { node }) =>
    object.metadata.name === node ? salvageSoundPart(nodes, object) : undefined,
};

/** Annotations of a Node that calico-node writes and its peers read. */
export const nodeAnnotations = {
  ipv4Address: 'projectcalico.org/IPv4Address',
  ipv6Address: 'projectcalico.org/IPv6Address',
  ipv4VxlanTunnelAddress: 'projectcalico.org/IPv4VXLANTunnelAddr',
  ipv6VxlanTunnelAddress: 'projectcalico.org/IPv6VXLANTunnelAddr',
  vxlanTunnelMac: 'projectcalico.org/VXLANTunnelMACAddr',
  vxlanTunnelMacV6: 'projectcalico.org/VXLANTunnelMACAddrV6',
  asNumber: 'projectcalico.org/ASNumber',
  routeReflectorClusterId: 'projectcalico.org/RouteReflectorClusterID',
  /** JSON: the node's own interfaces, as `nodeInterfaces` reads them. */
  interfaces: 'projectcalico.org/Interfaces',
} as const;

export interface NodeInterface {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** What the node says of its interfaces; none when it says nothing, or nothing that can be read. */
export function nodeInterfaces({ metadata }: Node): NodeInterface[] {
  try {
    const value: unknown = JSON.parse(metadata.annotations?.[nodeAnnotations.interfaces] ?? '[]');
    if (!Array.isArray(value)) return [];
    return value.flatMap(({ name, addresses = [] }: Partial<NodeInterface>) =>
      typeof name === 'string' && Array.isArray(addresses)
        ? [{ name, addresses: addresses.map(String) }]
        : [],
    );
  } catch {
    // Written by a node that is not ours, or by hand: as good as silence.
    return [];
  }
}
