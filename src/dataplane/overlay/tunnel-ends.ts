// The other nodes' ends of one family's tunnel, but for those that say an address of our own: what is ours must not be sent there.
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

/** `announced` are those of both families by "NODE/FAMILY". */
export function tunnelEnds(announced: ReadonlyMap<string, TunnelEndpoint>, own: OwnEnd): TunnelEnds {
  const ends = new Map<string, TunnelEndpoint>();
  const lacking: string[] = [];
  for (const [key, end] of announced) {
    if (end.family !== own.family) continue;
    const node = key.slice(0, key.lastIndexOf('/'));
    if (end.tunnelAddress !== own.tunnelAddress && end.mac !== own.mac) ends.set(node, end);
    else
      lacking.push(
        `There is no way to node "${node}": its annotations say this node's own ${end.mac === own.mac ? 'MAC address' : 'tunnel address'}`,
      );
  }
  return { ends, lacking };
}
