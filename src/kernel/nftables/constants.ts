// Numbers of nf_tables over nfnetlink. Source: linux/netfilter/nf_tables.h, linux/netfilter/nfnetlink.h.
import type { Comparison, ConnectionKey, MetaKey, TupleKey } from './expression.ts';
import type { HookName, KeyType, TableFamily } from './objects.ts';

const subsystem = 10;
export const subsystemId = subsystem;
export const batchBegin = 0x10;
export const batchEnd = 0x11;

const operation = (number: number) => (subsystem << 8) | number;
export const operations = {
  newTable: operation(0),
  getTable: operation(1),
  deleteTable: operation(2),
  newChain: operation(3),
  getChain: operation(4),
  deleteChain: operation(5),
  newRule: operation(6),
  getRule: operation(7),
  deleteRule: operation(8),
  newSet: operation(9),
  getSet: operation(10),
  deleteSet: operation(11),
  newElement: operation(12),
  getElement: operation(13),
  deleteElement: operation(14),
  newGeneration: operation(15),
} as const;

export const families: Readonly<Record<TableFamily, number>> = {
  inet: 1,
  ip: 2,
  arp: 3,
  netdev: 5,
  bridge: 7,
  ip6: 10,
};

/** NF_INET_PRE_ROUTING and its followers. */
const inetHooks: readonly HookName[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];

/** NF_ARP_IN, NF_ARP_OUT and NF_ARP_FORWARD, of linux/netfilter_arp.h. */
const arpHooks: readonly HookName[] = ['input', 'output', 'forward'];

/** The names of a family's hooks, by number. */
export function hooksOf(family: TableFamily): readonly HookName[] {
  return family === 'arp' ? arpHooks : inetHooks;
}

/** NFT_TABLE_F_*: owner since Linux 5.12, persist since 6.9. */
export const tableFlags = { dormant: 1, owner: 2, persist: 4 } as const;

export const setFlags = { anonymous: 1, constant: 2, interval: 4, map: 8 } as const;
export const elementIntervalEnd = 1;

/** NFT_DATA_VERDICT, as the type of a map's values. */
export const verdictType = 0xffffff00;

/** nft's own numbers for types; a concatenation is those of its parts, six bits each. The kernel keeps but does not read them. */
export const keyTypes: Readonly<Record<KeyType, number>> = {
  ipv4_addr: 7,
  ipv6_addr: 8,
  inet_proto: 12,
  inet_service: 13,
  mark: 19,
  ifname: 41,
};

export const verdicts = { drop: 0, accept: 1, continue: -1, jump: -3, goto: -4, return: -5 } as const;

export const comparisons: readonly Comparison[] = ['==', '!=', '<', '<=', '>', '>='];

export const payloadBases = ['link', 'network', 'transport'] as const;

export const metaKeys: Readonly<Record<MetaKey, number>> = {
  protocol: 1,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  nfproto: 15,
  l4proto: 16,
};

export const connectionKeys: Readonly<Record<ConnectionKey, number>> = {
  state: 0,
  direction: 1,
  status: 2,
  mark: 3,
  zone: 17,
};

export const tupleKeys: Readonly<Record<TupleKey, number>> = {
  protocol: 10,
  'proto-src': 11,
  'proto-dst': 12,
  'ip saddr': 19,
  'ip daddr': 20,
  'ip6 saddr': 21,
  'ip6 daddr': 22,
};

/** NF_NAT_RANGE_* of linux/netfilter/nf_nat.h: MAP_IPS, PROTO_SPECIFIED, PROTO_RANDOM_FULLY. */
export const natFlags = { addresses: 1, ports: 2, random: 16 } as const;

/** The name that has a number, or undefined. */
export function nameOf<K extends string>(
  names: Readonly<Record<K, number>>,
  number: number | undefined,
): K | undefined {
  return (Object.keys(names) as K[]).find((name) => names[name] === number);
}
