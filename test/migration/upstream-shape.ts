// What a cluster of another Calico's can look like on its nodes, and who is in it: two nodes and four pods.
import { createHash } from 'node:crypto';
import type { Family } from '../../src/net/index.ts';

export interface UpstreamShape {
  /** Who makes the ways between nodes: Felix' tunnels, or BIRD without an overlay. */
  readonly routing: 'vxlan' | 'bird';
  readonly families: readonly Family[];
  /** What Felix writes its rules with. */
  readonly rules: 'iptables-nft' | 'iptables-legacy' | 'nftables';
}

type PerFamily<T> = Readonly<Record<Family, T>>;

export interface UpstreamNode {
  readonly name: string;
  /** On the underlay, which gives the IPv4 address. */
  readonly address: PerFamily<string>;
  readonly block: PerFamily<string>;
  /** Where pods of another family of routing have none: the first of the block. */
  readonly tunnel: PerFamily<string>;
  readonly tunnelMac: PerFamily<string>;
}

const node = (number: 1 | 2): UpstreamNode => ({
  name: `node-${number}`,
  address: { 4: `172.30.0.${10 + number}`, 6: `fd30::${10 + number}` },
  block: { 4: `192.168.7${number}.0/26`, 6: `fd10:0:0:7${number}::/122` },
  tunnel: { 4: `192.168.7${number}.0`, 6: `fd10:0:0:7${number}::` },
  tunnelMac: { 4: `66:0a:0b:0c:0d:0${number}`, 6: `66:0a:0b:0c:0e:0${number}` },
});
export const upstreamNodes: readonly [UpstreamNode, UpstreamNode] = [node(1), node(2)];

export const pools: PerFamily<string> = { 4: '192.168.0.0/16', 6: 'fd10::/48' };
export const prefixLengths: PerFamily<number> = { 4: 32, 6: 128 };
export const tunnelDevices: PerFamily<string> = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' };

export interface UpstreamPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly ip: PerFamily<string>;
  readonly containerId: string;
}

/** A pod, and its place in its node's blocks. */
const pod = (
  namespace: string,
  name: string,
  { name: on, tunnel }: UpstreamNode,
  place: number,
): UpstreamPod => ({
  namespace,
  name,
  node: on,
  ip: { 4: tunnel[4].replace(/0$/, String(place)), 6: `${tunnel[6]}${place}` },
  containerId: createHash('sha256').update(name).digest('hex'),
});

const [one, two] = upstreamNodes;
export const upstreamPods = {
  front: pod('shop', 'front', one, 1),
  db: pod('shop', 'db', one, 2),
  cart: pod('shop', 'cart', two, 1),
  api: pod('test', 'api', two, 2),
} as const;
export const everyPod = Object.values(upstreamPods);

/** Of a Service that kube-proxy leads to the cart, at ports that are the cart's own. */
export const cartService: PerFamily<string> = { 4: '10.96.0.20', 6: 'fd96::20' };

export const keyOfPod = ({ namespace, name }: UpstreamPod): string => `${namespace}/${name}`;

/** What node and cluster settle on by name: Calico's, kept by whoever takes a pod over. */
export function hostInterface({ namespace, name }: UpstreamPod): string {
  return `cali${createHash('sha1').update(`${namespace}.${name}`).digest('hex').slice(0, 11)}`;
}

export function otherNode({ name }: UpstreamNode): UpstreamNode {
  return name === one.name ? two : one;
}

/** Who must not speak to a pod, as the cluster's two policies say: nobody to the pod of "test", and the cart not to the database. */
export function refusedSources(of: UpstreamPod): 'everybody' | readonly UpstreamPod[] {
  if (of === upstreamPods.api) return 'everybody';
  return of === upstreamPods.db ? [upstreamPods.cart] : [];
}
