// One cluster through the calculation and the table of every node, and each packet's fate there beside what the evaluator says.
import {
  Calculator,
  type Connection,
  type DesiredState,
  interpret,
  interpretCrossing,
} from '../../src/calc/index.ts';
import { defaultFailsafePorts } from '../../src/dataplane/index.ts';
import { protocolNumber } from '../../src/net/index.ts';
import { type Cluster, evaluatorOf, type Packet } from '../../src/policy/index.ts';
import { SimulatedTable } from '../dataplane/simulated-table.ts';
import { stepsOf } from './cluster-steps.ts';
import { isSound } from './faults-of.ts';
import { settingsOf } from './felix-settings.ts';
import { interfacesOf, type Way, waysAcross } from './host-crossings.ts';

const packets: readonly Omit<Packet, 'source' | 'destination'>[] = [
  ...(['TCP', 'UDP', 'SCTP'] as const).flatMap((protocol) =>
    [79, 80, 81, 82, 83].map((destinationPort) => ({
      protocol,
      destinationPort,
      sourcePort: 79 + (destinationPort % 3),
    })),
  ),
  // A port is where ICMP has type and code: these look like 8/0 and 128/0.
  { protocol: 'UDP', destinationPort: 8 << 8, sourcePort: 79 },
  { protocol: 'TCP', destinationPort: 128 << 8, sourcePort: 79 },
  { protocol: 'ICMP', icmp: { type: 8, code: 0 } },
  { protocol: 'ICMP', icmp: { type: 8, code: 1 } },
  { protocol: 'ICMP', icmp: { type: 13, code: 0 } },
  { protocol: 'ICMPv6', icmp: { type: 128, code: 0 } },
];

/** Addresses of pods, those that have ended among them, one of nobody, and one of a node; each with each of its family. */
function addressesIn({ pods }: Cluster): (readonly [string, string])[] {
  const hosts = pods.map(({ metadata }) => Number(metadata.name.slice(4)) + 1);
  const v4 = [...hosts.map((n) => `10.1.0.${n}`), '10.1.0.7', '172.30.0.11'];
  const v6 = [...hosts.map((n) => `fd00:1::${n}`), 'fd00:1::7'];
  return [v4, v6].flatMap((list) =>
    list.flatMap((a) => list.filter((b) => a !== b).map((b) => [a, b] as const)),
  );
}

export interface Differences {
  readonly packets: number;
  readonly denied: number;
  /** The first one, in a sentence. */
  readonly difference: string | undefined;
}

/** Of all the packets that a cluster can see, one in so many, from the one with that number on. */
export interface Sample {
  readonly every: number;
  readonly from: number;
}

const allPackets: Sample = { every: 1, from: 0 };

/** What no kernel can be told: both readings close it. */
const unsayable = /HTTP cannot be matched/;

/** Whether the calculation may say so of an object of this cluster: of what is sound, it understands all that can be programmed. */
function isToBeExpected(fault: string, cluster: Cluster): boolean {
  return unsayable.test(fault) || !isSound(cluster);
}

type Judge = ReturnType<typeof evaluatorOf>;

/** @throws Error when the calculation says that it cannot understand an object */
export function differencesIn(
  { stagedPolicies: _, ...cluster }: Cluster,
  nodes: readonly string[],
  { every, from }: Sample = allPackets,
  judge: Judge = evaluatorOf(cluster),
): Differences {
  const states = nodes.map((node) => {
    const calculator = new Calculator({
      node,
      onFault: (fault) => {
        if (!isToBeExpected(fault, cluster)) throw new Error(fault);
      },
    });
    for (const step of stepsOf(cluster)) step(calculator);
    for (const [name, addresses] of Object.entries(interfacesOf[node] ?? {}))
      calculator.setInterface(name, addresses);
    calculator.takeChanges();
    return { state: calculator.state, table: SimulatedTable.of(calculator.state) };
  });
  const settings = hostSettings(cluster);
  let asked = 0;
  let denied = 0;
  let number = from % every;
  for (const [source, destination] of addressesIn(cluster)) {
    for (const packet of packets) {
      if (number++ % every !== 0) continue;
      const expected = judge({ source, destination, ...packet });
      const connection = { source, destination, ...packet, protocol: protocolNumber(packet.protocol) ?? 0 };
      const answers = {
        'the calculation': states.some(({ state }) => interpret(state, connection) === 'Deny'),
        'the table': states.some(({ state, table }) => isDropped(table, state, connection)),
      };
      asked++;
      if (expected.action === 'Deny') denied++;
      const wrong = Object.entries(answers).find(([, denies]) => denies !== (expected.action === 'Deny'));
      if (!wrong) continue;
      const difference =
        `${JSON.stringify(connection)}: ${wrong[0]} ${wrong[1] ? 'denies' : 'allows'} it, ` +
        `the evaluator does not: ${expected.reasons.join('; ')}`;
      return { packets: asked, denied, difference };
    }
  }
  // There are as many of them as of all others, and each costs more.
  const seldom = every === 1 ? 1 : every * 4;
  for (const way of waysAcross(cluster)) {
    for (const packet of packets) {
      if (number++ % seldom !== 0) continue;
      const expected = judge({ ...way, ...packet });
      const connection = { ...way, ...packet, protocol: protocolNumber(packet.protocol) ?? 0 };
      const isDenied = states.some(
        ({ state }, index) =>
          isRefused(state, settings, nodes[index] ?? '', way, connection) ||
          (!isToOwnPod(way) && interpret(state, connection) === 'Deny'),
      );
      asked++;
      if (expected.action === 'Deny') denied++;
      if (isDenied === (expected.action === 'Deny')) continue;
      const difference = `${JSON.stringify(connection)} is ${isDenied ? 'denied' : 'allowed'}, and should not be: ${expected.reasons.join('; ')}`;
      return { packets: asked, denied, difference };
    }
  }
  return { packets: asked, denied, difference: undefined };
}

/** By the chains of those ends that live on the node. */
function isDropped(table: SimulatedTable, { endpoints }: DesiredState, connection: Connection): boolean {
  for (const { addresses, interfaceName } of endpoints.values()) {
    for (const [address, direction] of [
      [connection.source, 'egress'],
      [connection.destination, 'ingress'],
    ] as const) {
      if (addresses.includes(address) && table.judge(interfaceName, direction, connection) === 'Deny')
        return true;
    }
  }
  return false;
}

/** By the host endpoints of the node, wherever the way crosses it. */
function isRefused(
  state: DesiredState,
  settings: HostSettings,
  name: string,
  { crossings }: Way,
  connection: Connection,
): boolean {
  return crossings
    .filter(({ node }) => node === name)
    .some((passage) => interpretCrossing(state, connection, passage, settings) === 'Deny');
}

type HostSettings = Parameters<typeof interpretCrossing>[3];

/** As Felix reads them, who has a say in what an absent or a strange value means. */
function hostSettings({ felixConfiguration }: Cluster): HostSettings {
  if (!felixConfiguration) return defaultFailsafePorts;
  const { failsafeInboundHostPorts, failsafeOutboundHostPorts, defaultEndpointToHostAction } =
    settingsOf(felixConfiguration);
  return {
    inbound: failsafeInboundHostPorts,
    outbound: failsafeOutboundHostPorts,
    isDeafToPods: defaultEndpointToHostAction === 'Drop',
  };
}

/** A node reaches its own pods, whatever they say. */
function isToOwnPod({ crossings }: Way): boolean {
  const last = crossings.at(-1);
  return last?.in === undefined && last?.out === 'cali1';
}
