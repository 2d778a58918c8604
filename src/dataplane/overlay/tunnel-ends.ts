// Which of the ends that other nodes announce a tunnel can use. A tunnel address and a MAC address are one node's alone: whose
// object was written past Calico must not take another's packets, nor ours. An address of the underlay may be two nodes' for a
// while, when a machine comes in place of another, and each is reached by its own MAC address.
import type { TunnelEndpoint } from '../../calc/index.ts';
import type { Family } from '../../net/index.ts';

export interface OwnEnd {
  readonly family: Family;
  readonly tunnelAddress: string;
  readonly mac: string;
}

export interface TunnelEnds {
  /** By the names of their nodes. */
  readonly ends: ReadonlyMap<string, TunnelEndpoint>;
  /** Which nodes have no way, and why, a sentence each. */
  readonly lacking: readonly string[];
}

/** `announced` are those of both families by "NODE/FAMILY". Of several that agree the first by name counts. */
export function tunnelEnds(announced: ReadonlyMap<string, TunnelEndpoint>, own: OwnEnd): TunnelEnds {
  const ends = new Map<string, TunnelEndpoint>();
  const lacking: string[] = [];
  const holders = new Map(factsOf(own).map((fact) => [fact, 'this node']));
  for (const [key, end] of [...announced].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (end.family !== own.family) continue;
    const node = key.slice(0, key.lastIndexOf('/'));
    const facts = factsOf(end);
    const taken = facts.find((fact) => holders.has(fact));
    if (taken !== undefined) {
      lacking.push(
        `Node "${node}" is left out of the tunnel: its annotations say ${taken}, as do those of ${holders.get(taken)}`,
      );
      continue;
    }
    ends.set(node, end);
    for (const fact of facts) holders.set(fact, `node "${node}"`);
  }
  return { ends, lacking };
}

function factsOf({ tunnelAddress, mac }: Omit<OwnEnd, 'family'>): string[] {
  return [`the tunnel address ${tunnelAddress}`, `the MAC address ${mac}`];
}
