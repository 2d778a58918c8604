// The objects of crd.projectcalico.org/v1 that such a cluster has stored.
import type { Family } from '../../src/net/index.ts';
import { type Legacy, legacy } from '../calicoctl/legacy-cluster.ts';
import { everyPod, pools, type UpstreamNode, type UpstreamShape } from './upstream-shape.ts';

const blockSizes = { 4: 26, 6: 122 } as const;
const addressesInBlock = 64;

export function clusterObjects({ routing, families, rules }: UpstreamShape): Legacy[] {
  const isVxlan = routing === 'vxlan';
  return [
    legacy(
      'ClusterInformation',
      { name: 'default' },
      {
        clusterGUID: '0123456789abcdef0123456789abcdef',
        clusterType: isVxlan ? 'k8s,kdd' : 'k8s,bgp,kdd',
        calicoVersion: 'v3.29.1',
        datastoreReady: true,
      },
    ),
    legacy(
      'FelixConfiguration',
      { name: 'default' },
      {
        logSeverityScreen: 'Info',
        ...(isVxlan && { vxlanEnabled: true }),
        ...(rules === 'nftables' && { nftablesMode: 'Enabled' }),
        ...(families.includes(6) && { ipv6Support: true }),
      },
    ),
    ...families.map((family) =>
      legacy(
        'IPPool',
        { name: `default-ipv${family}-ippool` },
        {
          cidr: pools[family],
          blockSize: blockSizes[family],
          vxlanMode: isVxlan ? 'Always' : 'Never',
          ipipMode: 'Never',
          natOutgoing: true,
          nodeSelector: 'all()',
          allowedUses: ['Workload', 'Tunnel'],
        },
      ),
    ),
    legacy(
      'GlobalNetworkPolicy',
      { name: 'default.no-cart-to-db' },
      {
        selector: "app == 'db'",
        types: ['Ingress'],
        ingress: [{ action: 'Deny', source: { selector: "app == 'cart'" } }, { action: 'Allow' }],
      },
    ),
    legacy('IPAMConfig', { name: 'default' }, { strictAffinity: false, autoAllocateBlocks: true }),
  ];
}

interface Assigned {
  readonly ordinal: number;
  readonly handle: string;
  readonly secondary: Readonly<Record<string, string>>;
}

export function addressObjects(node: UpstreamNode, { routing, families }: UpstreamShape): Legacy[] {
  const tunnelHandle = { 4: 'vxlan-tunnel-addr', 6: 'vxlan-v6-tunnel-addr' } as const;
  const tunnelType = { 4: 'vxlanTunnelAddress', 6: 'vxlanV6TunnelAddress' } as const;
  const tunnelOf = (family: Family): Assigned => ({
    ordinal: 0,
    handle: `${tunnelHandle[family]}-${node.name}`,
    secondary: { node: node.name, type: tunnelType[family] },
  });
  const own: Assigned[] = everyPod
    .filter((one) => one.node === node.name)
    .map(({ containerId, namespace, name, ip }) => ({
      ordinal: Number(ip[4].split('.').at(-1)),
      handle: `k8s-pod-network.${containerId}`,
      secondary: { node: node.name, namespace, pod: name, timestamp: '2025-01-01 00:00:00 +0000 UTC' },
    }));
  const assigned = (family: Family) => [...(routing === 'vxlan' ? [tunnelOf(family)] : []), ...own];
  const handles = new Map<string, Record<string, number>>();
  for (const family of families) {
    for (const { handle } of assigned(family)) {
      handles.set(handle, { ...handles.get(handle), [node.block[family]]: 1 });
    }
  }
  return [
    ...families.flatMap((family) => blockObjects(node.name, node.block[family], assigned(family))),
    ...[...handles].map(([handleID, block]) =>
      legacy('IPAMHandle', { name: handleID }, { handleID, block, deleted: false }),
    ),
  ];
}

function blockObjects(node: string, cidr: string, assigned: readonly Assigned[]): Legacy[] {
  const ordinals = Array.from({ length: addressesInBlock }, (_, ordinal) => ordinal);
  const indexOf = (ordinal: number) => assigned.findIndex((one) => one.ordinal === ordinal);
  const dashes = cidr.replace(/[.:/]/g, '-');
  return [
    legacy(
      'IPAMBlock',
      { name: dashes },
      {
        cidr,
        affinity: `host:${node}`,
        allocations: ordinals.map((ordinal) => (indexOf(ordinal) < 0 ? null : indexOf(ordinal))),
        unallocated: ordinals.filter((ordinal) => indexOf(ordinal) < 0),
        attributes: assigned.map(({ handle, secondary }) => ({ handle_id: handle, secondary })),
        deleted: false,
        strictAffinity: false,
        sequenceNumber: assigned.length,
        sequenceNumberForAllocation: Object.fromEntries(
          assigned.map(({ ordinal }, index) => [String(ordinal), index]),
        ),
      },
    ),
    legacy(
      'BlockAffinity',
      { name: `${node}-${dashes}` },
      { cidr, node, state: 'confirmed', deleted: 'false' },
    ),
  ];
}
