// The prober's process: takes requests from the lab over its IPC channel, one at a time, and ends when the channel does.
import os from 'node:os';
import { pinToOneCpu, runBeforeOthers } from '../../kernel/index.ts';
import { Barrier } from './barrier.ts';
import { icmpTransmitter } from './icmp.ts';
import type { ProberRequests, RequestMessage, RequestName, ResponseMessage } from './messages.ts';
import { probeWave, type Transmitter } from './probe.ts';
import { sctpTransmitter } from './sctp.ts';
import { NodeSite, PodSite } from './site.ts';
import { Stream } from './stream.ts';
import type { Target } from './target.ts';
import { tcpTransmitter } from './tcp.ts';
import { udpTransmitter } from './udp.ts';

// The barrier relies on it.
pinToOneCpu();
// A stream of probes must not pause because the programs that it watches are busy.
if (!runBeforeOthers()) os.setPriority(os.constants.priority.PRIORITY_HIGHEST);

const nodes = new Map<string, NodeSite>();
const pods = new Map<string, PodSite>();
const barrier = new Barrier();
let stream: Stream | undefined;
let lastId = 0;

const nextId = (): number => {
  lastId = lastId === 0xffffffff ? 1 : lastId + 1;
  return lastId;
};

type Handlers = {
  readonly [N in RequestName]: (
    ask: ProberRequests[N]['ask'],
  ) => ProberRequests[N]['answer'] | Promise<ProberRequests[N]['answer']>;
};

const handlers: Handlers = {
  addNode(node) {
    const site = new NodeSite(node);
    nodes.set(node.name, site);
    barrier.add(site);
    return null;
  },
  addPod(pod) {
    pods.get(pod.key)?.close();
    pods.set(pod.key, new PodSite(pod));
    return null;
  },
  removePod({ key }) {
    pods.get(key)?.close();
    pods.delete(key);
    return null;
  },
  probe(ask) {
    if (stream) throw new Error('Cannot probe all pods while a stream of probes is running');
    const senders = ask.pods.map(({ key }) => podAt(key));
    const targets: Target[] = [];
    const positions: number[] = [];
    for (const [position, { key, port }] of ask.pods.entries()) {
      if (port === null) continue;
      targets.push(targetAt(key, port));
      positions.push(position);
    }
    const transmitter = transmitters[ask.protocol](senders, targets);
    try {
      const arrived = probeWave(
        transmitter,
        senders.length,
        [...targets.keys()],
        () => barrier.settle(),
        nextId,
      );
      return { open: arrived.map(([from, to]) => [from, positions[to] ?? to] as const) };
    } finally {
      transmitter.close();
    }
  },
  async startStream({ protocol, flows }) {
    if (stream) throw new Error('A stream of probes is running already');
    stream = new Stream(
      protocol,
      flows.map(({ from, to, port }) => ({ from: podAt(from), target: targetAt(to, port) })),
      () => barrier.settle(),
      nextId,
    );
    await stream.start();
    return null;
  },
  async stopStream() {
    if (!stream) throw new Error('No stream of probes is running');
    try {
      return { lanes: await stream.stop() };
    } finally {
      stream.close();
      stream = undefined;
    }
  },
  async endStream({ verdict, deadlineMs }) {
    if (!stream) throw new Error('No stream of probes is running');
    try {
      return await stream.untilTurned(verdict, deadlineMs);
    } finally {
      stream.close();
      stream = undefined;
    }
  },
};

const transmitters: Record<
  ProberRequests['probe']['ask']['protocol'],
  (senders: readonly PodSite[], targets: readonly Target[]) => Transmitter
> = { udp: udpTransmitter, tcp: tcpTransmitter, sctp: sctpTransmitter, icmp: icmpTransmitter };

function podAt(key: string): PodSite {
  const site = pods.get(key);
  if (!site) throw new Error(`The prober has no pod "${key}"`);
  return site;
}

function targetAt(key: string, port: number): Target {
  const site = podAt(key);
  const node = nodes.get(site.pod.node);
  if (!node) throw new Error(`The prober has no node "${site.pod.node}"`);
  return { site, node, port };
}

async function handle<N extends RequestName>({ id, name, ask }: RequestMessage<N>): Promise<void> {
  let response: ResponseMessage;
  try {
    response = { id, answer: await handlers[name](ask) };
  } catch (error) {
    response = { id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(response);
}

process.on('message', (message: RequestMessage) => void handle(message));
// The lab is gone, in order or not; what is open here closes with the process.
process.on('disconnect', () => process.exit(0));
