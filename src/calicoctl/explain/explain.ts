// `calicoctl explain`: what the policies of pods say about a connection, and why; and what they would say if the staged ones were
// in force. It calculates from the objects that are stored, and asks no node: neither host endpoints nor what a node does yet.
import { evaluatorOf, type Packet, type Verdict } from '../../policy/index.ts';
import type { GlobalOptions, NamespaceOptions, OutputFormat } from '../options.ts';
import { CommandError } from '../problem.ts';
import { openSession } from '../session.ts';
import { type End, findEnd } from './end.ts';
import { readCluster } from './read-cluster.ts';

export interface ExplainOptions extends GlobalOptions, NamespaceOptions {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'UDPLite' | 'ICMP';
  /** Of the destination, as the pod knows it: behind services. */
  readonly port?: number;
  readonly sourcePort?: number;
  readonly output: OutputFormat;
}

interface Explained {
  readonly packet: Packet;
  readonly verdict: Verdict;
}

/** @throws CommandError when there is no such pod, or nothing that could be asked */
export async function explain(from: string, to: string, options: ExplainOptions): Promise<number> {
  const { protocol, port, output } = options;
  if (protocol !== 'ICMP' && port === undefined)
    throw new CommandError(`Say which port of ${protocol} the connection is to with --port`);
  await using session = await openSession(options);
  const cluster = await readCluster(session.datastore);
  const namespace = options.namespace ?? session.namespace;
  const [source, destination] = [from, to].map((text) => findEnd(text, namespace, cluster.pods)) as [
    End,
    End,
  ];
  const judge = evaluatorOf(cluster);
  const explained = packetsBetween(source, destination, options).map((packet) => ({
    packet,
    verdict: judge(packet),
  }));
  if (explained.length === 0)
    throw new CommandError(`"${from}" and "${to}" have no addresses of the same family`);
  process.stdout.write(
    output === 'json'
      ? `${JSON.stringify({ results: explained.map(resultOf) }, undefined, 2)}\n`
      : explained.map((one) => textOf(one, source, destination)).join(''),
  );
  return 0;
}

/** One of each family that both ends have. */
function packetsBetween(source: End, destination: End, options: ExplainOptions): Packet[] {
  return source.addresses.flatMap((from) => {
    const isSix = from.includes(':');
    const to = destination.addresses.find((address) => address.includes(':') === isSix);
    if (to === undefined) return [];
    const ends = { source: from, destination: to };
    // The message that ping sends.
    if (options.protocol === 'ICMP')
      return isSix
        ? { ...ends, protocol: 'ICMPv6' as const, icmp: { type: 128, code: 0 } }
        : { ...ends, protocol: 'ICMP' as const, icmp: { type: 8, code: 0 } };
    const { protocol, port, sourcePort } = options;
    return {
      ...ends,
      protocol,
      ...(port !== undefined && { destinationPort: port }),
      ...(sourcePort !== undefined && { sourcePort }),
    };
  });
}

function textOf({ packet, verdict }: Explained, source: End, destination: End): string {
  const { protocol, destinationPort, sourcePort } = packet;
  const what = [protocol, destinationPort, sourcePort !== undefined && `from port ${sourcePort}`];
  const nameOf = ({ pod }: End, address: string) => (pod ? `${pod} (${address})` : address);
  const way = `from ${nameOf(source, packet.source)} to ${nameOf(destination, packet.destination)}`;
  const lines = [
    `${what.filter(Boolean).join(' ')} ${way}: ${verdict.action}`,
    ...reasonsOf(verdict),
    ...pendingOf(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

function reasonsOf({ reasons }: Verdict): string[] {
  if (reasons.length === 0) return ['  Neither end is a pod that policies judge'];
  return reasons.map((reason) => `  ${reason}`);
}

function pendingOf({ pending, action, reasons }: Verdict): string[] {
  if (!pending) return [];
  const isSame = pending.action === action && pending.reasons.join('\n') === reasons.join('\n');
  if (isSame) return [`With the staged policies it would be ${action} for the same reasons`];
  return [`With the staged policies it would be ${pending.action}:`, ...reasonsOf(pending)];
}

function resultOf({ packet, verdict: { action, reasons, pending } }: Explained): object {
  return {
    ...packet,
    action,
    reasons,
    ...(pending && { would: { action: pending.action, reasons: pending.reasons } }),
  };
}
