// Flows between network namespaces, each tried both ways: a flow gets through when the one who opened it has its answer. TCP,
// UDP, ICMP and the opening of SCTP. All flows of a call travel at once.
import {
  closeNamespace,
  InetSocket,
  openNamespace,
  pollReadable,
  type SocketAddress,
} from '../../src/kernel/index.ts';
import { withoutIpHeader } from '../../src/lab/prober/flow-packet.ts';
import { decodeSctp, encodeSctp, sctpProtocol } from '../../src/lab/prober/sctp-packet.ts';

export type FlowTransport = 'tcp' | 'udp' | 'icmp' | 'sctp';

export interface End {
  /** Path of its network namespace. */
  readonly namespacePath: string;
  readonly address: string;
}

export interface Flow {
  readonly name: string;
  readonly from: End;
  /** Who answers. */
  readonly to: End;
  readonly transport: FlowTransport;
  /** Where it is answered; of no meaning for ICMP. */
  readonly port: number;
  /** Of TCP and UDP; chosen by the kernel when absent. */
  readonly sourcePort?: number;
  /** Where it is sent, if that is not where it is answered: somebody translates. */
  readonly target?: SocketAddress;
}

/** How long what is expected may take on a busy machine, and how long what is not expected is waited for after that. */
const arrivalMs = 10_000;
const absenceMs = 60;

interface Trial {
  readonly flow: Flow;
  readonly id: number;
  readonly client: InetSocket;
}

/** Names of the flows that got through. Those of `expected` are waited for. */
export function passingFlows(flows: readonly Flow[], expected: ReadonlySet<string>): string[] {
  const namespaces = new Map<string, number>();
  const namespaceOf = ({ namespacePath }: End) => {
    const known = namespaces.get(namespacePath) ?? openNamespace(namespacePath);
    namespaces.set(namespacePath, known);
    return known;
  };
  const servers = new Map<string, { readonly socket: InetSocket; readonly transport: FlowTransport }>();
  const accepted: InetSocket[] = [];
  const trials: Trial[] = [];
  const passed = new Set<string>();
  try {
    for (const flow of flows) {
      const key = `${flow.to.namespacePath} ${flow.to.address} ${flow.transport} ${flow.transport === 'sctp' ? '' : flow.port}`;
      if (flow.transport !== 'icmp' && !servers.has(key))
        servers.set(key, { socket: serve(flow, namespaceOf(flow.to)), transport: flow.transport });
    }
    for (const [index, flow] of flows.entries()) trials.push(begin(flow, index + 1, namespaceOf(flow.from)));
    const isDue = () => [...expected].some((name) => !passed.has(name));
    const deadline = performance.now() + arrivalMs;
    let last = 0;
    while (last === 0 || performance.now() < last) {
      const sockets = [...servers.values()].map(({ socket }) => socket);
      const ready = new Set(
        pollReadable([...sockets, ...trials.map(({ client }) => client)], isDue() ? 200 : absenceMs),
      );
      for (const { socket, transport } of servers.values())
        if (ready.has(socket)) answer(socket, transport, accepted);
      for (const trial of trials)
        if (ready.has(trial.client) && isAnswered(trial)) passed.add(trial.flow.name);
      if (last === 0 && (!isDue() || performance.now() > deadline)) last = performance.now() + absenceMs;
    }
  } finally {
    for (const { client } of trials) client.close();
    for (const { socket } of servers.values()) socket.close();
    for (const socket of accepted) {
      socket.resetOnClose();
      socket.close();
    }
    for (const namespace of namespaces.values()) closeNamespace(namespace);
  }
  return flows.map(({ name }) => name).filter((name) => passed.has(name));
}

function familyOf({ address }: { readonly address: string }): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

function icmpProtocol(family: 4 | 6): number {
  return family === 4 ? 1 : 58;
}

function serve({ to, transport, port }: Flow, namespace: number): InetSocket {
  const family = familyOf(to);
  if (transport === 'sctp') {
    const socket = InetSocket.open({ namespace, family, type: 'raw', protocol: sctpProtocol });
    socket.bind({ address: to.address, port: 0 });
    return socket;
  }
  const socket = InetSocket.open({ namespace, family, type: transport === 'tcp' ? 'stream' : 'datagram' });
  socket.bind({ address: to.address, port });
  if (transport === 'tcp') socket.listen();
  return socket;
}

function begin(flow: Flow, id: number, namespace: number): Trial {
  const { from, to, transport, port } = flow;
  const family = familyOf(from);
  const target = flow.target ?? { address: to.address, port };
  const raw = transport === 'icmp' ? icmpProtocol(family) : sctpProtocol;
  const client =
    transport === 'icmp' || transport === 'sctp'
      ? InetSocket.open({ namespace, family, type: 'raw', protocol: raw })
      : InetSocket.open({ namespace, family, type: transport === 'tcp' ? 'stream' : 'datagram' });
  client.bind({ address: from.address, port: flow.sourcePort ?? 0 });
  // A sender whose own node refuses is told so at once: then the flow has not got through.
  try {
    if (transport === 'tcp') client.connect(target);
    else client.sendTo(opening(transport, family, id, target), target);
  } catch (error) {
    if ((error as { code?: string }).code !== 'EPERM') throw error;
  }
  return { flow, id, client };
}

function opening(transport: FlowTransport, family: 4 | 6, id: number, target: SocketAddress): Uint8Array {
  if (transport === 'icmp') return echo(family, id);
  if (transport === 'udp') return Uint8Array.of(id >>> 8, id & 0xff);
  return encodeSctp({
    kind: 'INIT',
    sourcePort: 20_000 + id,
    destinationPort: target.port,
    verificationTag: 0,
    initiateTag: id,
  });
}

/** RFC 792 and 4443. The kernel fills in the checksum of ICMPv6. */
function echo(family: 4 | 6, id: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, family === 4 ? 8 : 128);
  view.setUint16(4, 0x7000 + id);
  view.setUint16(6, 1);
  const sum = (view.getUint8(0) << 8) + view.getUint16(4) + view.getUint16(6);
  if (family === 4) view.setUint16(2, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  return bytes;
}

function answer(socket: InetSocket, transport: FlowTransport, accepted: InetSocket[]): void {
  if (transport === 'tcp') {
    for (let got = socket.accept(); got; got = socket.accept()) {
      got.socket.send(Uint8Array.of(1));
      accepted.push(got.socket);
    }
    return;
  }
  for (let got = socket.receiveFrom(); got; got = socket.receiveFrom()) {
    const reply = transport === 'udp' ? got.data : initAck(got.data, got.from);
    if (!reply) continue;
    try {
      socket.sendTo(reply, got.from);
    } catch (error) {
      // Its own node does not let the answer out.
      if ((error as { code?: string }).code !== 'EPERM') throw error;
    }
  }
}

function initAck(data: Buffer, from: SocketAddress): Uint8Array | undefined {
  const packet = decodeSctp(withoutIpHeader(data, from.address));
  if (packet?.kind !== 'INIT') return undefined;
  return encodeSctp({
    kind: 'INIT ACK',
    sourcePort: packet.destinationPort,
    destinationPort: packet.sourcePort,
    verificationTag: packet.initiateTag,
    initiateTag: packet.initiateTag,
  });
}

function isAnswered({ flow: { transport, from }, id, client }: Trial): boolean {
  if (transport === 'tcp') {
    if (client.takeError()) return false;
    try {
      return (client.receive()?.length ?? 0) > 0;
    } catch {
      // Refused or reset: whatever the reason, it has no connection.
      return false;
    }
  }
  for (let got = client.receiveFrom(); got; got = client.receiveFrom()) {
    if (transport === 'udp') return true;
    const packet = withoutIpHeader(got.data, got.from.address);
    if (transport === 'sctp') {
      const decoded = decodeSctp(packet);
      if (decoded?.kind === 'INIT ACK' && decoded.initiateTag === id) return true;
      continue;
    }
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const isReply = view.getUint8(0) === (familyOf(from) === 4 ? 0 : 129);
    if (isReply && view.getUint16(4) === 0x7000 + id) return true;
  }
  return false;
}
