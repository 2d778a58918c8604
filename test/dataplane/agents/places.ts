// Who speaks with whom in a cluster of real agents, and which ways their packets take: across which nodes' interfaces, and
// under which source. Three nodes on one underlay; "outside" is another machine there, "behind" one that only node-1 reaches,
// by a second interface of its own. Pod number i lives on node-(i % 3 + 1) and has the addresses that arbitrary-cluster.ts gives it.
//
// What is not probed: a pod that speaks to itself (no packet leaves it).
import type { Packet } from '../../../src/policy/index.ts';

export type Family = 4 | 6;
type Crossing = NonNullable<Packet['crossings']>[number];

export const nodeNames = ['node-1', 'node-2', 'node-3'] as const;
export const podCount = 6;

export interface Place {
  /** "node-2", "outside", "behind", or a pod: "pod-3". */
  readonly name: string;
  readonly kind: 'node' | 'pod' | 'outside' | 'behind';
  /** Where it is, for nodes and pods. */
  readonly node: string;
  readonly addresses: Readonly<Record<Family, string>>;
}

export const podNode = (index: number): string => nodeNames[index % nodeNames.length] ?? '';

export const pod = (index: number): Place => ({
  name: `pod-${index}`,
  kind: 'pod',
  node: podNode(index),
  addresses: { 4: `10.1.0.${index + 1}`, 6: `fd00:1::${(index + 1).toString(16)}` },
});

export const hosts: readonly Place[] = [
  ...nodeNames.map((name, index): Place => {
    const addresses = { 4: `172.30.0.${11 + index}`, 6: `fd30::${11 + index}` };
    return { name, kind: 'node', node: name, addresses };
  }),
  { name: 'outside', kind: 'outside', node: '', addresses: { 4: '172.30.0.99', 6: 'fd30::99' } },
  { name: 'behind', kind: 'behind', node: '', addresses: { 4: '10.9.0.2', 6: 'fd09::2' } },
];

/** A node's address on the underlay, between which the overlay's packets travel. */
const underlayOf = (node: string, family: Family): string =>
  hosts.find(({ name }) => name === node)?.addresses[family] ?? '';

/** A packet as the evaluator is asked about it; all of a way's must get through. */
export interface Leg {
  readonly source: string;
  readonly destination: string;
  readonly crossings: readonly Crossing[];
  /** The overlay's packet around it: only policies before connection tracking have a say in that. */
  readonly isOuter?: boolean;
}

/** Where a packet was sent that a service's rules on its first node translate. */
export type Meant = NonNullable<Crossing['meant']>;

type Interfaces = (node: string) => Readonly<Record<string, readonly string[]>>;

/** `interfaces` tells the addresses of a node's interfaces. */
export function legsOf(from: Place, to: Place, family: Family, interfaces: Interfaces, meant?: Meant): Leg[] {
  const [source, destination] = [from.addresses[family], to.addresses[family]];
  const crossings: Crossing[] = [];
  const cross = (node: string, names: { in?: string; out?: string; source?: string }) => {
    const isFirst = crossings.length === 0;
    crossings.push({ node, ...names, addresses: interfaces(node), ...(meant && isFirst && { meant }) });
  };
  const outer: Leg[] = [];
  const tunnel = (one: string, other: string) => {
    outer.push({
      source: underlayOf(one, family),
      destination: underlayOf(other, family),
      crossings: [
        { node: one, out: 'eth0', addresses: interfaces(one) },
        { node: other, in: 'eth0', addresses: interfaces(other) },
      ],
      isOuter: true,
    });
  };
  const [fromInside, toInside] = [own(from), own(to)];
  // The node that a packet comes to first, and the interface that it comes by.
  const node = from.node || entrance(from, to);
  const came = fromInside ?? (from.kind === 'node' ? undefined : from.kind === 'behind' ? 'eth1' : 'eth0');
  if (from.kind === 'node' && from === to) {
    cross(node, { out: 'lo' });
    cross(node, { in: 'lo' });
    return [{ source, destination, crossings }];
  }
  const last = to.node || (to.kind === 'behind' ? 'node-1' : node);
  if (node !== last) {
    const out = toInside ? overlayOf[family] : 'eth0';
    cross(node, { ...(came && { in: came }), out });
    if (toInside) tunnel(node, last);
    const isTranslated = toInside ? from.kind === 'node' : fromInside && family === 4;
    finish(last, out, isTranslated ? sourceOf(node, out) : undefined);
  } else finish(node, came);
  return [{ source, destination, crossings }, ...outer];

  function finish(at: string, by: string | undefined, translated?: string): void {
    const out = to.kind === 'node' ? undefined : (toInside ?? (to.kind === 'behind' ? 'eth1' : 'eth0'));
    cross(at, { ...(by && { in: by }), ...(out && { out }), ...(translated && { source: translated }) });
  }

  /** Pods' packets leave the cluster under their node's address, and a node's own travel under that of its end of the overlay. */
  function sourceOf(at: string, out: string): string | undefined {
    return interfaces(at)[out]?.find((address) => isOf(family, address) && !address.startsWith('fe80:'));
  }
}

const overlayOf = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' } as const;

const isOf = (family: Family, address: string) => address.includes(':') === (family === 6);

/** The name of a pod's interface on its node, as far as it matters; undefined for others. */
function own({ kind, name }: Place): string | undefined {
  return kind === 'pod' ? `cali-${name}` : undefined;
}

/** The node by which somebody who is no part of the cluster comes in. */
function entrance(from: Place, to: Place): string {
  return from.kind === 'behind' ? 'node-1' : to.node || 'node-1';
}

/** Whether there is a way: between the two who are no part of the cluster only by node-1, and nobody is asked about himself but nodes. */
export function hasWay(from: Place, to: Place): boolean {
  return from !== to || from.kind === 'node';
}
