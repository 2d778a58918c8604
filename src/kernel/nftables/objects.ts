// Tables, chains, rules, sets and elements as plain data, in nftables' own words.
import type { Expression, Verdict } from './expression.ts';

export type TableFamily = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

export interface Table {
  readonly family: TableFamily;
  readonly name: string;
}

export interface TableOptions {
  /** Only the socket that makes it, or takes it over, may change it, and it stays when that socket closes. */
  readonly owned?: boolean;
  /** Shown by `nft list ruleset`. */
  readonly comment?: string;
}

/** What the kernel says of a table itself. */
export interface ListedTable {
  /** Port of the socket that alone may change it; 0 when all may. */
  readonly owner: number;
  /** It outlives its owner; without one, whoever says so first becomes it. */
  readonly persistent: boolean;
  /** The kernel passes it by. */
  readonly dormant: boolean;
  readonly comment?: string;
}

export type HookName = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** What makes a chain a base chain: where in the packet's path the kernel calls it. */
export interface Hook {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: HookName;
  /** Lower is earlier; connection tracking is at -200, filtering by convention at 0. */
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
}

export interface Chain {
  readonly name: string;
  readonly hook?: Hook;
}

/** A base chain of any table. */
export interface ForeignChain {
  readonly table: Table;
  readonly name: string;
  readonly hook: Hook;
}

export interface Rule {
  readonly chain: string;
  readonly expressions: readonly Expression[];
  /** Shown by `nft list ruleset`; at most 127 bytes. */
  readonly comment?: string;
}

/** A rule as the kernel holds it. */
export interface ListedRule extends Rule {
  readonly handle: bigint;
}

/** Types that `nft` knows how to print; the kernel itself only looks at lengths. */
export type KeyType = 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service' | 'mark' | 'ifname';

export interface NftSet {
  readonly name: string;
  /** More than one for a concatenated key, each part padded to four bytes. A listing shows none for a type that we never write. */
  readonly key: readonly KeyType[];
  /** Elements are ranges, not single keys. */
  readonly interval?: boolean;
  /** Makes it a map whose elements carry verdicts. */
  readonly verdicts?: boolean;
  /** The kernel makes room for so many at once and refuses more. */
  readonly size?: number;
}

export interface Element {
  readonly key: Uint8Array;
  /** In an interval set: this key is the first that is not in the range any more. */
  readonly isEnd?: boolean;
  readonly verdict?: Verdict;
}

const keyLengths: Readonly<Record<KeyType, number>> = {
  ipv4_addr: 4,
  ipv6_addr: 16,
  inet_proto: 1,
  inet_service: 2,
  mark: 4,
  ifname: 16,
};

/** Bytes of a whole key: parts of a concatenation are padded, a single part is not. */
export function keyLength(key: readonly KeyType[]): number {
  const [only] = key;
  if (only && key.length === 1) return keyLengths[only];
  return key.reduce((sum, type) => sum + Math.ceil(keyLengths[type] / 4) * 4, 0);
}
