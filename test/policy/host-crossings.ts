// Ways across the interfaces of two nodes: what they receive, send and forward, with whom. Each node has eth0 on the underlay,
// where somebody else is, too; node-1 has eth1, behind which there is another; pods are told from other interfaces by name.
import type { Cluster, Packet } from '../../src/policy/index.ts';

type Crossing = NonNullable<Packet['crossings']>[number];
type Family = 4 | 6;

export interface Way {
  readonly source: string;
  readonly destination: string;
  readonly crossings: readonly Crossing[];
}

const address = {
  'node-1': { 4: '172.30.0.11', 6: 'fd30::11' },
  'node-2': { 4: '172.30.0.12', 6: 'fd30::12' },
  outside: { 4: '172.30.0.99', 6: 'fd30::99' },
  behind: { 4: '10.9.0.2', 6: 'fd09::2' },
} as const;

/** Addresses of the interfaces of each node, as its kernel would tell. */
export const interfacesOf: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'node-1': { eth0: ['172.30.0.11', 'fd30::11'], eth1: ['10.9.0.1', 'fd09::1'], lo: ['127.0.0.1'] },
  'node-2': { eth0: ['172.30.0.12', 'fd30::12'], lo: ['127.0.0.1'] },
};

export function waysAcross({ pods }: Cluster): Way[] {
  return ([4, 6] as const).flatMap((family) => waysOf(pods, family));
}

function waysOf(pods: Cluster['pods'], family: Family): Way[] {
  const cross = (
    node: string,
    names: { in?: string; out?: string },
    more: Partial<Crossing> = {},
  ): Crossing => ({
    node,
    ...names,
    addresses: interfacesOf[node] ?? {},
    ...more,
  });
  const [one, two, outside, behind] = [
    address['node-1'][family],
    address['node-2'][family],
    address.outside[family],
    address.behind[family],
  ];
  const way = (source: string, destination: string, ...crossings: Crossing[]): Way => ({
    source,
    destination,
    crossings,
  });
  const hosts = [
    way(outside, one, cross('node-1', { in: 'eth0' })),
    way(one, outside, cross('node-1', { out: 'eth0' })),
    way(behind, one, cross('node-1', { in: 'eth1' })),
    way(one, behind, cross('node-1', { out: 'eth1' })),
    way(outside, behind, cross('node-1', { in: 'eth0', out: 'eth1' })),
    way(behind, outside, cross('node-1', { in: 'eth1', out: 'eth0' })),
    way(one, two, cross('node-1', { out: 'eth0' }), cross('node-2', { in: 'eth0' })),
    way(two, one, cross('node-2', { out: 'eth0' }), cross('node-1', { in: 'eth0' })),
    way(one, one, cross('node-1', { out: 'lo' }), cross('node-1', { in: 'lo' })),
  ];
  const running = pods.flatMap((pod) => {
    const number = Number(pod.metadata.name.slice(4)) + 1;
    const own = family === 4 ? `10.1.0.${number}` : `fd00:1::${number.toString(16)}`;
    return pod.status?.phase === 'Running' && !pod.spec?.hostNetwork
      ? [{ own, node: pod.spec?.nodeName ?? '' }]
      : [];
  });
  const [inward, outward] = [{ in: 'cali1' }, { out: 'cali1' }];
  const withPods = running.flatMap(({ own, node }) => {
    const host = node === 'node-1' ? one : two;
    const meant = { destination: host, destinationPort: 83 };
    return [
      way(outside, own, cross(node, { in: 'eth0', ...outward })),
      way(own, outside, cross(node, { ...inward, out: 'eth0' })),
      way(host, own, cross(node, outward)),
      way(own, host, cross(node, inward)),
      way(outside, own, cross(node, { in: 'eth0', ...outward }, { meant })),
    ];
  });
  const [a] = running.filter(({ node }) => node === 'node-1');
  const [b] = running.filter(({ node }) => node === 'node-2');
  const between =
    a && b
      ? [
          way(
            a.own,
            b.own,
            cross('node-1', { ...inward, out: 'vxlan.calico' }),
            cross('node-2', { in: 'vxlan.calico', ...outward }),
          ),
        ]
      : [];
  return [...hosts, ...withPods, ...between];
}
