// The expressions that a rule is made of, as plain data: what the kernel's nf_tables virtual machine executes in order.
// A rule's expressions run until one does not hold; the verdict is an expression too.

/** Register 0 takes verdicts; 1 to 4 are 16 bytes wide; 8 to 23 are the same memory in steps of 4 bytes. */
export type Register = number;

export const registers = {
  verdict: 0,
  /** The n-th 16-byte register, from 0. */
  wide: (n: 0 | 1 | 2 | 3): Register => 1 + n,
  /** The n-th 4-byte register, from 0: a concatenated key stands in several of them side by side. */
  narrow: (n: number): Register => 8 + n,
} as const;

export type Verdict =
  | { readonly code: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly code: 'jump' | 'goto'; readonly chain: string };

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type MetaKey = 'protocol' | 'mark' | 'iif' | 'oif' | 'iifname' | 'oifname' | 'nfproto' | 'l4proto';

/** Keys that are the same for both directions of a connection. */
export type ConnectionKey = 'state' | 'direction' | 'status' | 'mark' | 'zone';

/** Keys of one of the two tuples by which conntrack knows a connection. */
export type TupleKey =
  | 'protocol'
  | 'proto-src'
  | 'proto-dst'
  | 'ip saddr'
  | 'ip daddr'
  | 'ip6 saddr'
  | 'ip6 daddr';

export type TupleDirection = 'original' | 'reply';

export type Expression =
  /** Loads bytes of the packet; breaks the rule where the packet has none. */
  | {
      readonly kind: 'payload';
      readonly base: 'link' | 'network' | 'transport';
      readonly offset: number;
      readonly length: number;
      readonly to: Register;
    }
  | { readonly kind: 'meta'; readonly key: MetaKey; readonly to: Register }
  | { readonly kind: 'meta set'; readonly key: MetaKey; readonly from: Register }
  /** Loads from the packet's connection; breaks the rule for a packet that has none. */
  | { readonly kind: 'ct'; readonly key: ConnectionKey; readonly to: Register }
  | {
      readonly kind: 'ct tuple';
      readonly key: TupleKey;
      readonly direction: TupleDirection;
      readonly to: Register;
    }
  /**
   * A connection's mark; or, before connection tracking (-200), the zone, two bytes in host order, that a packet is tracked in: also one
   * that was to have no connection.
   */
  | { readonly kind: 'ct set'; readonly key: 'mark' | 'zone'; readonly from: Register }
  | {
      readonly kind: 'cmp';
      readonly comparison: Comparison;
      readonly register: Register;
      readonly value: Uint8Array;
    }
  /** to = (from & mask) ^ xor */
  | {
      readonly kind: 'bitwise';
      readonly from: Register;
      readonly to: Register;
      readonly mask: Uint8Array;
      readonly xor: Uint8Array;
    }
  /** Holds when the register's key is in the set, or, inverted, when it is not; a map's value goes to `to`. */
  | {
      readonly kind: 'lookup';
      readonly set: string;
      readonly register: Register;
      readonly invert?: boolean;
      readonly to?: Register;
    }
  | { readonly kind: 'immediate'; readonly to: Register; readonly value: Uint8Array }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** Tells a listener of the NFLOG group about the packet, or the kernel's log where there is no group. */
  | { readonly kind: 'log'; readonly prefix: string; readonly group?: number }
  /** Before connection tracking (-200): the packet shall have no connection. */
  | { readonly kind: 'notrack' }
  | { readonly kind: 'counter'; readonly packets: bigint; readonly bytes: bigint }
  /** Writes bytes into the packet. `checksumAt` is where in the same header its 16-bit checksum stands, which is kept right. */
  | {
      readonly kind: 'payload set';
      readonly base: 'network' | 'transport';
      readonly offset: number;
      readonly length: number;
      readonly from: Register;
      readonly checksumAt?: number;
    }
  /** Translates the source to the address of the interface that the packet leaves by; to these ports when there are registers. */
  | {
      readonly kind: 'masq';
      readonly isRandom?: boolean;
      readonly portMin?: Register;
      readonly portMax?: Register;
    }
  /** Translates the source or the destination to the address, and to one of the ports, that registers hold. */
  | {
      readonly kind: 'nat';
      readonly side: 'source' | 'destination';
      readonly family: 4 | 6;
      readonly address: Register;
      readonly isRandom?: boolean;
      readonly portMin?: Register;
      readonly portMax?: Register;
    }
  /** Ends the packet's way and tells its sender so. */
  | { readonly kind: 'reject'; readonly by: 'tcp reset' | 'port unreachable' }
  /** Holds for so many packets, or bytes, in a span of seconds, and for `burst` of them at once; with `isOver` for all others. */
  | {
      readonly kind: 'limit';
      readonly rate: bigint;
      readonly seconds: bigint;
      readonly burst: number;
      readonly unit: 'packets' | 'bytes';
      readonly isOver?: boolean;
    }
  /** Holds while there are at most so many connections that the rule has seen; with `isOver` when there are more. */
  | { readonly kind: 'connlimit'; readonly count: number; readonly isOver?: boolean }
  /** One that we never write: its name as the kernel has it, its attributes as they came. */
  | { readonly kind: 'other'; readonly name: string; readonly data: Uint8Array };
