// What else a calculation is told besides policies and pods: pools, blocks, nodes with their tunnels, ranges of services, and
// interfaces of the node itself. Each thing comes and goes; of those with one key a cluster has one.
import fc from 'fast-check';
import { nodeAnnotations } from '../../src/resources/index.ts';
import type { Step } from './cluster-steps.ts';

export interface Thing {
  readonly key: string;
  readonly come: Step;
  readonly go: Step;
}

/** Nodes of which no cluster of arbitrary-cluster.ts speaks. */
export const networkNodes = ['node-3', 'node-4'];

const name = fc.constantFrom('a', 'b');

const pool = fc
  .record({
    name,
    cidr: fc.constantFrom('10.1.0.0/24', '10.1.0.0/16', 'fd00:1::/64'),
    natOutgoing: fc.boolean(),
    vxlanMode: fc.constantFrom('Always' as const, 'CrossSubnet' as const, 'Never' as const),
  })
  .map(
    ({ name: own, ...spec }): Thing => ({
      key: `pool ${own}`,
      come: (calculator) =>
        calculator.setPool({
          apiVersion: 'projectcalico.org/v3',
          kind: 'IPPool',
          metadata: { name: own },
          spec,
        }),
      go: (calculator) => calculator.deletePool(own),
    }),
  );

/** Its second address may be borrowed by the other node. */
const block = fc
  .record({ cidr: fc.constantFrom('10.1.0.0/30', 'fd00:1::/126'), nodes: fc.shuffledSubarray(networkNodes) })
  .map(({ cidr, nodes: [owner, borrower] }): Thing => {
    const own = `block-${cidr.includes(':') ? 6 : 4}`;
    return {
      key: own,
      come: (calculator) =>
        calculator.setBlock({
          apiVersion: 'projectcalico.org/v3',
          kind: 'IPAMBlock',
          metadata: { name: own },
          spec: {
            cidr,
            ...(owner && { affinity: `host:${owner}` }),
            allocations: [null, borrower ? 0 : null, null, null],
            attributes: borrower
              ? [{ handle_id: 'handle', secondary: { node: borrower, type: 'vxlanTunnelAddress' } }]
              : [],
            unallocated: [],
            strictAffinity: false,
            sequenceNumber: 0,
          },
        }),
      go: (calculator) => calculator.deleteBlock(own),
    };
  });

const node = fc
  .record({
    name: fc.constantFrom(...networkNodes),
    address: fc.constantFrom('172.30.0.13/24', '172.30.0.14/24', '172.31.0.15/24'),
    // Of which a block may give the first to one of them.
    tunnel: fc.constantFrom('10.1.0.1', '10.1.0.41', '10.1.0.42', undefined),
    mac: fc.constantFrom('66:00:00:00:00:01', '66:00:00:00:00:02', '66:00:00:00:00:03'),
    creationTimestamp: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
  })
  .map(
    ({ name: own, address, tunnel, mac, creationTimestamp }): Thing => ({
      key: own,
      come: (calculator) =>
        calculator.setNode({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: {
            name: own,
            creationTimestamp,
            annotations: {
              [nodeAnnotations.ipv4Address]: address,
              ...(tunnel && {
                [nodeAnnotations.ipv4VxlanTunnelAddress]: tunnel,
                [nodeAnnotations.vxlanTunnelMac]: mac,
              }),
            },
          },
        }),
      go: (calculator) => calculator.deleteNode(own),
    }),
  );

const services = fc.subarray(['10.96.0.0/16', '10.96.0.0/12', 'fd96::/112']).map(
  (list): Thing => ({
    key: 'services',
    come: (calculator) =>
      calculator.setBgpConfiguration({
        apiVersion: 'projectcalico.org/v3',
        kind: 'BGPConfiguration',
        metadata: { name: 'default' },
        spec: { serviceClusterIPs: list.map((cidr) => ({ cidr })) },
      }),
    go: (calculator) => calculator.deleteBgpConfiguration('default'),
  }),
);

const networkInterface = fc
  .record({
    name: fc.constantFrom('eth0', 'eth1'),
    addresses: fc.subarray(['172.30.0.11', 'fd30::12', '10.9.0.1']),
  })
  .map(
    ({ name: own, addresses }): Thing => ({
      key: `interface ${own}`,
      come: (calculator) => calculator.setInterface(own, addresses),
      go: (calculator) => calculator.setInterface(own, undefined),
    }),
  );

export const arbitraryNetwork: fc.Arbitrary<Thing[]> = fc.uniqueArray(
  fc.oneof(pool, block, node, services, networkInterface),
  { maxLength: 6, selector: ({ key }) => key },
);

export function comingOf(network: readonly Thing[]): Step[] {
  return network.map(({ come }) => come);
}

/** What turns one network into another. */
export function stepsBetween(other: readonly Thing[], network: readonly Thing[]): Step[] {
  const gone = other.filter(({ key }) => !network.some((kept) => kept.key === key));
  return [...comingOf(network), ...gone.map(({ go }) => go)];
}
