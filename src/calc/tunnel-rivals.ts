// Which of the tunnel ends that nodes announce count. A tunnel address and a MAC address are one node's alone; where two say the
// same, whoever wrote the wrong one must not get the other's packets, be it by mistake or on purpose. So what the blocks and the
// node's name say counts for more than the annotations, and the older node for more than the younger.
// An address of the underlay may be two nodes' for a while, when a machine comes in place of another: each is reached by its MAC.
import { sha1 } from '@noble/hashes/legacy.js';
import type { TunnelEndpoint } from './desired-state.ts';

export interface AnnouncedEnd {
  readonly node: string;
  /** When the node's object was made: RFC 3339, or empty. */
  readonly since: string;
  readonly end: TunnelEndpoint;
}

export interface SettledEnds {
  /** By "NODE/FAMILY". */
  readonly ends: ReadonlyMap<string, TunnelEndpoint>;
  /** Which ends do not count, by the same, and why, in a sentence. */
  readonly faults: ReadonlyMap<string, string>;
}

/** Locally administered, and the same whenever the node comes back: 66 and five bytes of the SHA-1 of its name. */
export function tunnelMac(node: string, family: TunnelEndpoint['family']): string {
  const digest = sha1(new TextEncoder().encode(family === 4 ? node : `${node}-v6`));
  return [0x66, ...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** `isHolder` says whether the blocks give a tunnel address to a node. It is asked of rivals alone. */
export function settleRivals(
  announced: readonly AnnouncedEnd[],
  isHolder: (node: string, address: string) => boolean,
): SettledEnds {
  const claims = new Map<string, number>();
  for (const { end } of announced) {
    for (const claim of claimsOf(end)) claims.set(claim, (claims.get(claim) ?? 0) + 1);
  }
  const ends = new Map<string, TunnelEndpoint>();
  const rivals: AnnouncedEnd[] = [];
  for (const one of announced) {
    if (claimsOf(one.end).some((claim) => (claims.get(claim) ?? 0) > 1)) rivals.push(one);
    else ends.set(keyOf(one), one.end);
  }
  const standings = new Map(rivals.map((one) => [one, standingOf(one, isHolder)]));
  const standing = (one: AnnouncedEnd) => standings.get(one) ?? 0;
  rivals.sort(
    (a, b) =>
      standing(b) - standing(a) || inOrder(a.since || 'never', b.since || 'never') || inOrder(a.node, b.node),
  );
  const holders = new Map<string, string>();
  const faults = new Map<string, string>();
  for (const one of rivals) {
    const taken = claimsOf(one.end).find((claim) => holders.has(claim));
    if (taken !== undefined) {
      faults.set(
        keyOf(one),
        `Cannot use the tunnel of Node "${one.node}": its annotations say ${taken}, which is that of Node "${holders.get(taken)}"; the way there is closed`,
      );
      continue;
    }
    ends.set(keyOf(one), one.end);
    for (const claim of claimsOf(one.end)) holders.set(claim, one.node);
  }
  return { ends, faults };
}

function standingOf(
  { node, end }: AnnouncedEnd,
  isHolder: (node: string, address: string) => boolean,
): number {
  return Number(isHolder(node, end.tunnelAddress)) + Number(end.mac === tunnelMac(node, end.family));
}

/** In words that follow "its annotations say". */
function claimsOf({ family, tunnelAddress, mac }: TunnelEndpoint): string[] {
  return [`the tunnel address ${tunnelAddress}`, `the IPv${family} MAC address ${mac}`];
}

function keyOf({ node, end }: AnnouncedEnd): string {
  return `${node}/${end.family}`;
}

function inOrder(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
