// A small cluster for tests: three nodes, whose objects a test may add to or replace.

import type { BgpInput } from '../../src/bgp/index.ts';
import type {
  BGPConfiguration,
  BGPFilter,
  BGPPeer,
  BlockAffinity,
  IPPool,
  Node,
  Secret,
} from '../../src/resources/index.ts';

const calico = 'projectcalico.org/v3';

export function testNode(number: number, more: { labels?: object; annotations?: object } = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `node-${number}`,
      labels: { rack: number < 3 ? 'a' : 'b', ...more.labels },
      annotations: {
        'projectcalico.org/IPv4Address': `10.0.0.${number}/24`,
        'projectcalico.org/IPv6Address': `fd00::${number}/64`,
        ...more.annotations,
      },
    },
  };
}

export function configuration(spec: BGPConfiguration['spec'], name = 'default'): BGPConfiguration {
  return { apiVersion: calico, kind: 'BGPConfiguration', metadata: { name }, spec };
}

export function peer(spec: BGPPeer['spec'], name = 'peer'): BGPPeer {
  return { apiVersion: calico, kind: 'BGPPeer', metadata: { name }, spec };
}

export function filter(spec: BGPFilter['spec'], name = 'filter'): BGPFilter {
  return { apiVersion: calico, kind: 'BGPFilter', metadata: { name }, spec };
}

export function pool(cidr: string, spec: Partial<IPPool['spec']> = {}): IPPool {
  const name = cidr.replaceAll(/[.:/]+/g, '-');
  return { apiVersion: calico, kind: 'IPPool', metadata: { name }, spec: { cidr, ...spec } };
}

export function affinity(
  cidr: string,
  node: string,
  spec: Partial<BlockAffinity['spec']> = {},
): BlockAffinity {
  const name = `${node}-${cidr.replaceAll(/[.:/]+/g, '-')}`;
  return {
    apiVersion: calico,
    kind: 'BlockAffinity',
    metadata: { name },
    spec: { cidr, node, state: 'confirmed', deleted: false, ...spec },
  };
}

export function secret(name: string, data: Record<string, string>, namespace = 'kube-system'): Secret {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    data: Object.fromEntries(encoded),
  };
}

/** What node-1 sees; what is not said is as in a new cluster without BGP objects. */
export function testInput(more: Partial<BgpInput> = {}): BgpInput {
  return {
    node: 'node-1',
    namespace: 'kube-system',
    nodes: [testNode(1), testNode(2), testNode(3)],
    configurations: [],
    peers: [],
    filters: [],
    pools: [pool('192.168.0.0/16'), pool('fd10::/48')],
    affinities: [affinity('192.168.1.0/26', 'node-1'), affinity('192.168.2.0/26', 'node-2')],
    services: [],
    endpointSlices: [],
    secrets: [],
    pods: [],
    ...more,
  };
}
