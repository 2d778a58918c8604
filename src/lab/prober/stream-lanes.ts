// The lanes of a stream of probes: one per flow and kind of packet, with the sockets it sends and is received by, and the
// record of which of its probes arrived. When to send, and when to stop, is the stream's affair.
import { InetSocket, KernelError, type SocketAddress } from '../../kernel/index.ts';
import { familyOf } from '../../net/index.ts';
import { decodeTcpStart, encodeTcpStart, encodeUdpStart, withoutIpHeader } from './flow-packet.ts';
import type { LaneReport } from './messages.ts';
import type { PodSite } from './site.ts';
import type { Target } from './target.ts';
import { decodeId, encodeId } from './udp.ts';

const protocolNumbers = { udp: 17, tcp: 6 } as const;
const sentinelDeadlineMs = 3_000;
/** Source ports of new flows go round in here, below the ports that the kernel gives to sockets of its own accord. */
const firstPort = 10_000;
const portCount = 20_000;

/** The probes of one lane, in the order in which they were sent. */
export class Lane {
  readonly name: string;
  readonly transmit: (id: number) => void;
  readonly #sentAt: bigint[] = [];
  readonly #arrived: boolean[] = [];

  constructor(name: string, transmit: (id: number) => void) {
    this.name = name;
    this.transmit = transmit;
  }

  get sent(): number {
    return this.#sentAt.length;
  }

  /** Sends a probe and returns its position. */
  send(id: number): number {
    this.#sentAt.push(process.hrtime.bigint());
    this.transmit(id);
    return this.#arrived.push(false) - 1;
  }

  arrive(position: number): void {
    this.#arrived[position] = true;
  }

  report(): LaneReport {
    return {
      name: this.name,
      sent: this.sent,
      arrived: this.#arrived.filter(Boolean).length,
      longestLossMs: longestRow(this.#arrived, this.#sentAt, false),
      longestPassMs: longestRow(this.#arrived, this.#sentAt, true),
    };
  }

  /** How many probes at the end had this verdict without an exception. */
  tail(arrived: boolean): number {
    const last = this.#arrived.lastIndexOf(!arrived);
    return this.#arrived.length - 1 - last;
  }

  /** When the last probe with this verdict was sent, CLOCK_MONOTONIC in ns; zero when none had it. */
  lastAt(arrived: boolean): bigint {
    return this.#sentAt[this.#arrived.lastIndexOf(arrived)] ?? 0n;
  }

  /** When the first probe was sent since which all have had this verdict; zero when the last one has not. */
  turnedAt(arrived: boolean): bigint {
    return this.#sentAt[this.#arrived.lastIndexOf(!arrived) + 1] ?? 0n;
  }
}

/** What the sender's own node drops on its way out, as policies about a host do, is a probe that does not arrive. */
function transmit(socket: InetSocket, data: Uint8Array, to: SocketAddress): void {
  try {
    socket.sendTo(data, to);
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'EPERM')) throw error;
  }
}

/** From the first to the last of the longest row of equal verdicts, in ms. */
function longestRow(verdicts: readonly boolean[], times: readonly bigint[], verdict: boolean): number {
  let longest = 0n;
  let start: bigint | undefined;
  for (const [position, time] of times.entries()) {
    if (verdicts[position] !== verdict) start = undefined;
    else {
      start ??= time;
      if (time - start > longest) longest = time - start;
    }
  }
  return Number(longest) / 1e6;
}

interface Receiving {
  readonly target: Target;
  readonly socket: InetSocket;
}

export class StreamLanes {
  readonly all: Lane[] = [];
  readonly #protocol: 'udp' | 'tcp';
  readonly #nextId: () => number;
  readonly #owned: InetSocket[] = [];
  readonly #established: { readonly sender: InetSocket; readonly target: Target }[] = [];
  readonly #receiving = new Map<string, Receiving>();
  readonly #pending = new Map<number, { readonly lane: Lane; readonly position: number }>();
  readonly #sentinels = new Set<number>();

  constructor(
    protocol: 'udp' | 'tcp',
    pairs: readonly { readonly from: PodSite; readonly target: Target }[],
    nextId: () => number,
  ) {
    this.#protocol = protocol;
    this.#nextId = nextId;
    for (const { from, target } of pairs) {
      this.#listen(target);
      const name = `${from.pod.key} to ${target.site.pod.key} on ${protocol}/${target.port}`;
      const raw = this.#openRaw(from.namespace, from.pod.ip);
      this.all.push(new Lane(`${name} (new flows)`, (id) => this.#sendStart(raw, from.pod.ip, target, id)));
      if (protocol === 'tcp') continue;
      const sender = this.#own(from.open('udp'));
      const destination = { address: target.site.pod.ip, port: target.port };
      this.#established.push({ sender, target });
      this.all.push(new Lane(`${name} (one flow)`, (id) => transmit(sender, encodeId(id), destination)));
    }
  }

  /** Sends one datagram on each lasting flow and has it answered, so that its connection is established where it is permitted. */
  establish(settle: () => void): void {
    for (const { sender, target } of this.#established) {
      transmit(sender, encodeId(0), { address: target.site.pod.ip, port: target.port });
    }
    settle();
    for (const { socket } of this.#receiving.values()) {
      for (let got = socket.receiveFrom(); got; got = socket.receiveFrom()) {
        if (this.#protocol === 'udp') transmit(socket, got.data, got.from);
      }
    }
    settle();
  }

  /** One probe on every lane. */
  send(): void {
    for (const lane of this.all) {
      const id = this.#nextId();
      this.#pending.set(id, { lane, position: lane.send(id) });
    }
  }

  /** Takes what has arrived, without waiting. */
  receive(): void {
    for (const { socket, target } of this.#receiving.values()) {
      for (let got = socket.receiveFrom(); got; got = socket.receiveFrom()) {
        const id =
          this.#protocol === 'udp'
            ? decodeId(got.data)
            : decodeTcpStart(withoutIpHeader(got.data, got.from.address), target.port);
        if (id === undefined) continue;
        this.#sentinels.delete(id);
        const probe = this.#pending.get(id);
        probe?.lane.arrive(probe.position);
        this.#pending.delete(id);
      }
    }
  }

  /** Sends each receiver a sentinel from its own node and receives until all have come: what was sent before is in, too. */
  confirm(): void {
    for (const { target } of this.#receiving.values()) {
      const { namespace, node } = target.node;
      const socket = this.#openRaw(namespace, node.address);
      const id = this.#nextId();
      this.#sentinels.add(id);
      this.#sendStart(socket, node.address, target, id);
      this.#owned.splice(this.#owned.indexOf(socket), 1);
      socket.close();
    }
    const deadline = performance.now() + sentinelDeadlineMs;
    while (this.#sentinels.size > 0) {
      if (performance.now() > deadline) {
        throw new Error(`${this.#sentinels.size} sentinels did not arrive within ${sentinelDeadlineMs} ms`);
      }
      this.receive();
    }
  }

  close(): void {
    for (const socket of this.#owned) socket.close();
  }

  #listen(target: Target): void {
    const key = `${target.site.pod.key} ${target.port}`;
    if (this.#receiving.has(key)) return;
    // A raw socket sees the first packet of a TCP connection, beside the listener that answers it.
    const socket =
      this.#protocol === 'udp'
        ? target.site.receiver('udp', target.port)
        : this.#openRaw(target.site.namespace, target.site.pod.ip);
    this.#receiving.set(key, { target, socket });
  }

  #sendStart(socket: InetSocket, source: string, target: Target, id: number): void {
    const flow = {
      source,
      destination: target.site.pod.ip,
      sourcePort: firstPort + (id % portCount),
      destinationPort: target.port,
      id,
    };
    const packet = this.#protocol === 'udp' ? encodeUdpStart(flow) : encodeTcpStart(flow);
    transmit(socket, packet, { address: flow.destination, port: 0 });
  }

  #openRaw(namespace: number, address: string): InetSocket {
    const [family, protocol] = [familyOf(address), protocolNumbers[this.#protocol]];
    const socket = this.#own(InetSocket.open({ namespace, family, type: 'raw', protocol }));
    socket.bind({ address, port: 0 });
    return socket;
  }

  #own(socket: InetSocket): InetSocket {
    this.#owned.push(socket);
    return socket;
  }
}
