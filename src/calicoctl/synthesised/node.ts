// Calico's Node, as upstream shows it: what calico-node wrote into annotations of the Kubernetes Node, and back again.
import type { Node as KubernetesNode, Resource } from '../../resources/index.ts';

export interface CalicoNode extends Resource {
  spec?: {
    addresses?: { address: string; type?: string }[];
    bgp?: {
      asNumber?: string | number;
      ipv4Address?: string;
      ipv6Address?: string;
      ipv4IPIPTunnelAddr?: string;
      routeReflectorClusterID?: string;
    };
    ipv4VXLANTunnelAddr?: string;
    ipv6VXLANTunnelAddr?: string;
    vxlanTunnelMACAddr?: string;
    vxlanTunnelMACAddrV6?: string;
    wireguard?: { interfaceIPv4Address?: string; interfaceIPv6Address?: string };
    orchRefs?: { nodeName: string; orchestrator: string }[];
  };
  status?: { podCIDRs?: string[]; wireguardPublicKey?: string; wireguardPublicKeyV6?: string };
}

/** Per annotation (without its prefix) the path of the field that it stands for. */
const fields = {
  IPv4Address: ['spec', 'bgp', 'ipv4Address'],
  IPv6Address: ['spec', 'bgp', 'ipv6Address'],
  ASNumber: ['spec', 'bgp', 'asNumber'],
  IPv4IPIPTunnelAddr: ['spec', 'bgp', 'ipv4IPIPTunnelAddr'],
  RouteReflectorClusterID: ['spec', 'bgp', 'routeReflectorClusterID'],
  IPv4VXLANTunnelAddr: ['spec', 'ipv4VXLANTunnelAddr'],
  IPv6VXLANTunnelAddr: ['spec', 'ipv6VXLANTunnelAddr'],
  VXLANTunnelMACAddr: ['spec', 'vxlanTunnelMACAddr'],
  VXLANTunnelMACAddrV6: ['spec', 'vxlanTunnelMACAddrV6'],
  IPv4WireguardInterfaceAddr: ['spec', 'wireguard', 'interfaceIPv4Address'],
  IPv6WireguardInterfaceAddr: ['spec', 'wireguard', 'interfaceIPv6Address'],
  WireguardPublicKey: ['status', 'wireguardPublicKey'],
  WireguardPublicKeyV6: ['status', 'wireguardPublicKeyV6'],
} as const;

const prefix = 'projectcalico.org/';

export function calicoNodeOf({ metadata, spec, status }: KubernetesNode): CalicoNode {
  const annotations = { ...metadata.annotations };
  const content: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(fields)) {
    const value = annotations[prefix + name];
    if (value) put(content, path, value);
    delete annotations[prefix + name];
  }
  const { bgp } = Object(content.spec) as { bgp?: { ipv4Address?: string; ipv6Address?: string } };
  const calicoAddresses = [bgp?.ipv4Address, bgp?.ipv6Address].flatMap((address) =>
    address ? [{ address, type: 'CalicoNodeIP' }] : [],
  );
  const others = (status?.addresses ?? [])
    .filter(({ type }) => type !== 'Hostname')
    .map(({ address, type }) => ({ address, type }));
  const podCIDRs = spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : undefined);
  const { name, uid, resourceVersion, creationTimestamp, labels } = metadata;
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'Node',
    metadata: {
      name,
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(creationTimestamp && { creationTimestamp }),
      ...(labels && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: {
      addresses: [...calicoAddresses, ...others],
      ...Object(content.spec),
      orchRefs: [{ nodeName: name, orchestrator: 'k8s' }],
    },
    status: { ...(podCIDRs && { podCIDRs }), ...Object(content.status) },
  };
}

/** What a merge patch of the Kubernetes Node must say so that it stands for this: labels and annotations alone. */
export function nodePatch(wanted: CalicoNode, stored: CalicoNode): object {
  const annotations: Record<string, string | null> = difference(
    wanted.metadata.annotations,
    stored.metadata.annotations,
  );
  for (const [name, path] of Object.entries(fields)) {
    const [value, old] = [get(wanted, path), get(stored, path)];
    if (value !== old) annotations[prefix + name] = value ?? null;
  }
  return {
    metadata: {
      ...(wanted.metadata.labels && { labels: difference(wanted.metadata.labels, stored.metadata.labels) }),
      annotations,
      ...(wanted.metadata.resourceVersion && { resourceVersion: wanted.metadata.resourceVersion }),
    },
  };
}

/** Only what is said changes: a Node's labels and annotations belong to many. */
function difference(
  wanted: Record<string, string> = {},
  stored: Record<string, string> = {},
): Record<string, string | null> {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => stored[key] !== value));
}

function get(object: object, path: readonly string[]): string | undefined {
  let value: unknown = object;
  for (const step of path) value = Object(value)[step];
  return value === undefined || value === null ? undefined : String(value);
}

function put(object: Record<string, unknown>, path: readonly string[], value: string): void {
  const [step = '', ...rest] = path;
  if (rest.length === 0) {
    object[step] = value;
    return;
  }
  const inner = Object(object[step]) as Record<string, unknown>;
  object[step] = inner;
  put(inner, rest, value);
}
