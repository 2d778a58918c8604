// Felix' parameters, each with a value that is not its default and with what the kernel shows of it. The nodes are those of
// nodes-to-set.ts.

import type { ParameterName } from '../../src/felix/index.ts';
import type { FelixConfiguration } from '../../src/resources/index.ts';
import { far, farAddress, floating, type NodeWithPod, own, source, tap, wan } from './nodes-to-set.ts';

export interface SettingCase {
  /** As the resource has it. */
  readonly value: unknown;
  /** As environment and file have it; the value as text when absent. */
  readonly text?: string;
  /** Whether the node's kernel is as that value makes it, and as no default does. */
  readonly shows: (node: NodeWithPod) => boolean;
}

const listensAt = (place: string) => (node: NodeWithPod) => node.listening.includes(` ${place} `);
const says =
  (chain: string, ...parts: readonly string[]) =>
  ({ table }: NodeWithPod) =>
    parts.every((part) => chainIn(table, chain).includes(part));
const saysNothingOf = (chain: string, part: string) => (node: NodeWithPod) =>
  chainIn(node.table, chain) !== '' && !chainIn(node.table, chain).includes(part);
const natOutgoing = 'cali-nat-outgoing';

/** Those that count at once. */
export const liveCases = {
  logPrefix: {
    value: 'mine %n',
    shows: says('cali-pi-GlobalNetworkPolicy//logs', 'log prefix "mine logs: "'),
  },
  logActionRateLimit: {
    value: '10/minute',
    shows: says('cali-pi-GlobalNetworkPolicy//logs', 'limit rate 10/minute '),
  },
  logActionRateLimitBurst: {
    value: 7,
    shows: says('cali-pi-GlobalNetworkPolicy//logs', ' burst 7 packets log'),
  },
  defaultEndpointToHostAction: {
    value: 'Accept',
    shows: saysNothingOf('cali-input-host', 'defaultEndpointToHostAction'),
  },
  failsafeInboundHostPorts: {
    value: [{ protocol: 'TCP', port: 0x8ae }],
    text: 'tcp:2222',
    shows: says('cali-failsafe-in', 'ct protocol tcp ct reply proto-src 0x8ae '),
  },
  failsafeOutboundHostPorts: {
    value: [{ protocol: 'UDP', port: 0xd05 }],
    text: 'udp:3333',
    shows: says('cali-failsafe-out', 'ct protocol udp ct reply proto-src 0xd05 '),
  },
  nftablesFilterDenyAction: { value: 'Reject', shows: says('cali-deny', 'goto cali-reject') },
  natOutgoingExclusions: {
    value: 'IPPoolsAndHostIPs',
    shows: says(natOutgoing, 'ip daddr != @cali40network-ip-pools ip daddr != @cali40all-hosts-net'),
  },
  natPortRange: {
    value: '20000:20999',
    shows: says(natOutgoing, 'meta l4proto tcp', ':20000-20999 fully-random'),
  },
  natOutgoingAddress: {
    value: `${own[4]},${own[6]}`,
    shows: says(natOutgoing, `snat ip to ${own[4]}`, `snat ip6 to ${own[6]}`),
  },
  iptablesNATOutgoingInterfaceFilter: {
    value: wan.name,
    shows: says(natOutgoing, `oifname "${wan.name}" ip saddr @cali40masq-ipam-pools`),
  },
  serviceLoopPrevention: {
    value: 'Reject',
    shows: says('cali-cidr-block', '@cali40service-cidrs counter', 'goto cali-reject'),
  },
  externalNodesList: {
    value: ['172.31.7.0/24'],
    text: '172.31.7.0/24',
    shows: says('cali-overlay-input', 'ip saddr 172.31.7.0/24 accept'),
  },
  allowVXLANPacketsFromWorkloads: {
    value: true,
    shows: (node) => !node.table.includes('comment "VXLAN from a pod"'),
  },
  allowIPIPPacketsFromWorkloads: {
    value: true,
    shows: (node) => !node.table.includes('comment "IP-in-IP from a pod"'),
  },
  workloadSourceSpoofing: {
    value: 'Any',
    shows: (node) => says(`cali-src-${node.podLink}`, `ip saddr ${source} accept`)(node),
  },
  floatingIPs: {
    value: 'Enabled',
    shows: ({ table, podLink }) => table.includes(`${floating} : jump cali-fip-dnat-${podLink}`),
  },
  ipv6Support: { value: false, shows: says('cali-no-encap-from-wl', 'meta nfproto ipv6 counter') },
  healthEnabled: { value: true, shows: listensAt('127.0.0.2:9199') },
  healthHost: { value: '127.0.0.2', shows: listensAt('127.0.0.2:9199') },
  healthPort: { value: 9199, shows: listensAt('127.0.0.2:9199') },
  prometheusMetricsEnabled: { value: true, shows: listensAt('127.0.0.3:9191') },
  prometheusMetricsHost: { value: '127.0.0.3', shows: listensAt('127.0.0.3:9191') },
  prometheusMetricsPort: { value: 9191, shows: listensAt('127.0.0.3:9191') },
} as const satisfies Partial<Record<ParameterName, SettingCase>>;

/** BIRD writes routes, too, which another node tells it. */
const felixProtocol = 80;
const podRoute = (node: NodeWithPod, family: 4 | 6) =>
  node.routes.filter(
    ({ destination }) => destination === `${node.address(family)}/${family === 4 ? 32 : 128}`,
  );
/** Whether there is one route to the pod, and it says that. */
const routeSays =
  (family: 4 | 6, what: Readonly<Record<string, unknown>>) =>
  (node: NodeWithPod): boolean => {
    const [route, ...others] = podRoute(node, family);
    return (
      others.length === 0 &&
      Object.entries(what).every(([key, value]) => route?.[key as keyof typeof route] === value)
    );
  };
const protocol = 142;

/** Those that take a new start. */
export const restartCases = {
  interfacePrefix: {
    value: `cali,${tap.slice(0, 3)}`,
    shows: (node) =>
      says('cali-anti-spoof', `iifname "${tap.slice(0, 3)}*"`)(node) &&
      !node.table.includes(`cali-fh-${tap}`),
  },
  interfaceExclude: { value: wan.name, shows: ({ table }) => !table.includes(`cali-fh-${wan.name}`) },
  deviceRouteProtocol: {
    value: protocol,
    shows: (node) => routeSays(4, { protocol })(node) && routeSays(6, { protocol })(node),
  },
  ipv4NormalRoutePriority: { value: 77, shows: routeSays(4, { metric: 77 }) },
  ipv6NormalRoutePriority: { value: 78, shows: routeSays(6, { metric: 78 }) },
  deviceRouteSourceAddress: { value: own[4], shows: routeSays(4, { source: own[4] }) },
  deviceRouteSourceAddressIPv6: { value: own[6], shows: routeSays(6, { source: own[6] }) },
  nftablesMarkMask: {
    value: 0x00ffff00,
    text: '0x00ffff00',
    shows: says('cali-forward-egress', 'ct mark & 0x00ffff00 == @cali-judged'),
  },
  vxlanPort: {
    value: 4999,
    shows: (node) =>
      node.link('vxlan.calico')?.vxlan?.port === 4999 &&
      says('cali-overlay-input', 'udp dport 4999 ip saddr != @cali40all-hosts-net')(node),
  },
  vxlanVNI: { value: 99, shows: (node) => node.link('vxlan.calico')?.vxlan?.vni === 99 },
  vxlanMTU: { value: 1300, shows: (node) => node.link('vxlan.calico')?.mtu === 1300 },
  mtuIfacePattern: { value: `^${wan.name}$`, shows: (node) => node.podMtu === wan.mtu - 50 },
  programClusterRoutes: {
    value: 'Enabled',
    shows: (node) =>
      node.routes.some(({ via, protocol }) => via === farAddress && protocol === felixProtocol),
  },
  routeSource: {
    value: 'WorkloadIPs',
    shows: (node) => node.routes.some(({ destination }) => destination === `${far.overlaid.pod}/32`),
  },
} as const satisfies Partial<Record<ParameterName, SettingCase>>;

export type Cases = Readonly<Partial<Record<ParameterName, SettingCase>>>;

/** As a FelixConfiguration. */
export function specOf(cases: Cases): FelixConfiguration['spec'] {
  return Object.fromEntries(Object.entries(cases).map(([name, { value }]) => [name, value]));
}

/** A chain's rules in nft's text; empty when there is no such chain. */
function chainIn(table: string, name: string): string {
  const [, rest = ''] = table.split(`\tchain ${name} {\n`);
  return rest.split('\n\t}\n')[0] ?? '';
}
