// The other nodes' ends of one family's tunnel, but for those that say an address of our own, which must not be sent there, and
// those that say one at which nobody is: the kernel would take some of these, and spread what is for one node, or keep it.
import type { TunnelEndpoint } from '../../calc/index.ts';
import { cidrContains, type Family, parseAddress, parseCidr } from '../../net/index.ts';

export interface OwnEnd {
  readonly family: Family;
  readonly nodeAddress: string;
  readonly tunnelAddress: string;
  readonly mac: string;
}

export interface TunnelEnds {
  /** By the names of their nodes. */
  readonly ends: ReadonlyMap<string, TunnelEndpoint>;
  /** Which nodes have no way, and why, a sentence each. */
  readonly lacking: readonly string[];
}

/** "This network", loopback, of many, of all: RFC 6890 and RFC 4291. */
const nobodys = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32', '::/127', 'ff00::/8'].map(
  parseCidr,
);

/** `announced` are those of both families by "NODE/FAMILY". */
export function tunnelEnds(announced: ReadonlyMap<string, TunnelEndpoint>, own: OwnEnd): TunnelEnds {
  const ends = new Map<string, TunnelEndpoint>();
  const lacking: string[] = [];
  for (const [key, end] of announced) {
    if (end.family !== own.family) continue;
    const node = key.slice(0, key.lastIndexOf('/'));
    const fault = faultOf(end, own);
    if (fault === undefined) ends.set(node, end);
    else lacking.push(`There is no way to node "${node}": its annotations say ${fault}`);
  }
  return { ends, lacking };
}

/** In words that follow "its annotations say"; undefined when there is none. */
function faultOf(end: TunnelEndpoint, own: OwnEnd): string | undefined {
  if (end.mac === own.mac) return "this node's own MAC address";
  if (end.tunnelAddress === own.tunnelAddress) return "this node's own tunnel address";
  if (end.nodeAddress === own.nodeAddress) return "this node's own address";
  if (isNobodys(end.tunnelAddress)) return `the tunnel address ${end.tunnelAddress}, which no node can have`;
  if (isNobodys(end.nodeAddress)) return `the address ${end.nodeAddress}, which no node can have`;
  return undefined;
}

function isNobodys(text: string): boolean {
  const address = parseAddress(text);
  return nobodys.some((net) => cidrContains(net, address));
}
