// One cluster through the kernels of real agents: becomes it, probes all that can be probed, and tells the first difference to
// what the evaluator says.
import type { Cluster } from '../../../src/policy/index.ts';
import type { AgentCluster } from './agent-cluster.ts';
import { hosts, nodeNames } from './places.ts';
import { type Expectation, planOf, runningPods, serviceRules } from './verdicts.ts';
import type { Probe, Waves } from './wave.ts';

export interface Examined {
  readonly packets: number;
  readonly denied: number;
  /** Packets that the kernel could not be asked about; verdicts.ts says why. */
  readonly left: number;
  /** The first one, in a sentence. */
  readonly difference: string | undefined;
  /** Asks the kernel again about the packet of the difference alone. */
  readonly only?: (probe: Probe) => boolean;
}

interface ExamineOptions {
  /** Which of the packets to ask about; all of them when absent. */
  readonly only?: ((probe: Probe) => boolean) | undefined;
  /** How long what should arrive is waited for. */
  readonly arrivalMs?: number;
}

export async function examine(
  agents: AgentCluster,
  waves: Waves,
  wanted: Cluster,
  { only = () => true, arrivalMs }: ExamineOptions = {},
): Promise<Examined> {
  const cluster = await agents.become(wanted);
  for (const place of [...runningPods(cluster), ...hosts]) waves.open(place);
  for (const node of nodeNames) agents.nft(node, serviceRules(cluster, node));
  const { expectations: all, left } = planOf(cluster, (node) => agents.interfacesOf(node));
  const expectations = all.filter(({ probe }) => only(probe));
  const allowed = new Set(
    expectations.filter(({ verdict }) => verdict.action === 'Allow').map(({ probe }) => probe),
  );
  const { arrived, late } = waves.send(
    expectations.map(({ probe }) => probe),
    allowed,
    arrivalMs,
  );
  const wrong = expectations.find(({ probe }) => arrived.has(probe) !== allowed.has(probe));
  const [latecomer] = late;
  const difference = wrong
    ? sentence(wrong, arrived.has(wrong.probe))
    : latecomer && `${nameOf(latecomer)} of an earlier cluster has arrived now`;
  return {
    packets: expectations.length,
    denied: expectations.length - allowed.size,
    left,
    difference,
    ...(wrong && { only: (probe: Probe) => nameOf(probe) === nameOf(wrong.probe) }),
  };
}

function sentence({ probe, verdict }: Expectation, hasArrived: boolean): string {
  return `${nameOf(probe)} ${hasArrived ? 'arrives' : 'does not arrive'}, and should${hasArrived ? ' not' : ''}: ${verdict.reasons.join('; ')}`;
}

function nameOf({ from, to, family, protocol, sourcePort, destinationPort, target }: Probe): string {
  const isIcmp = protocol.startsWith('ICMP');
  const what = isIcmp
    ? `${protocol} ${destinationPort >> 8}/${destinationPort & 255}`
    : `${protocol} ${target ? `${target.address} ` : ''}${target?.port ?? destinationPort}`;
  // Ports of what is translated say nothing.
  const source = isIcmp || sourcePort > 1000 ? '' : ` from port ${sourcePort}`;
  return `${from.name} to ${to.name} by ${what}${source} over IPv${family}`;
}
