// Single packets, from any place of a cluster to any other, and which of them arrive. A packet has arrived when a raw socket
// of the receiver has seen it, whether anybody listens there or not: so the verdict on the first packet of a flow is asked
// about, in one direction, without the answer. Packets that arrive when nobody counts with them any more are remembered: they
// are told with the next wave.
import {
  closeNamespace,
  InetSocket,
  type KernelError,
  openNamespace,
  pollReadable,
} from '../../../src/kernel/index.ts';
import {
  decodeTcpStart,
  encodeTcpStart,
  encodeUdpStart,
  withoutIpHeader,
} from '../../../src/lab/prober/flow-packet.ts';
import { decodeIcmp, encodeIcmp } from '../../../src/lab/prober/icmp.ts';
import { decodeSctp, encodeSctp, sctpProtocol } from '../../../src/lab/prober/sctp-packet.ts';
import type { Family, Place } from './places.ts';

export type ProbeProtocol = 'TCP' | 'UDP' | 'SCTP' | 'ICMP' | 'ICMPv6';

export interface Probe {
  readonly from: Place;
  readonly to: Place;
  readonly family: Family;
  readonly protocol: ProbeProtocol;
  readonly sourcePort: number;
  /** For ICMP type * 256 + code. */
  readonly destinationPort: number;
  /** Where it is sent, if somebody translates that into the receiver. */
  readonly target?: { readonly address: string; readonly port: number };
}

const numbers = { TCP: 6, UDP: 17, SCTP: sctpProtocol, ICMP: 1, ICMPv6: 58 } as const;
const protocolsOf = { 4: ['TCP', 'UDP', 'SCTP', 'ICMP'], 6: ['TCP', 'UDP', 'SCTP', 'ICMPv6'] } as const;
const defaultArrivalMs = 10_000;
const repeatMs = 250;
/** How long what should not arrive is waited for when all that should has come. */
const absenceMs = 30;
const receiveBufferBytes = 4 * 2 ** 20;

interface Ear {
  readonly fd: number;
  readonly socket: InetSocket;
  readonly place: string;
  readonly protocol: ProbeProtocol;
}

export class Waves implements Disposable {
  readonly #pathOf: (place: Place) => string;
  readonly #ears = new Map<string, Ear>();
  readonly #names = new Map<string, number>();
  /** Of all probes that have ever been sent; the position is the id. */
  readonly #sent: (Probe | undefined)[] = [undefined];

  /** `pathOf` tells the path of a place's network namespace. */
  constructor(pathOf: (place: Place) => string) {
    this.#pathOf = pathOf;
  }

  /**
   * Sends every probe once, and those of `expected` again until they have arrived or the time is up. Returns what arrived, in
   * the words of `probes`, and what arrived of earlier waves.
   */
  send(
    probes: readonly Probe[],
    expected: ReadonlySet<Probe>,
    arrivalMs = defaultArrivalMs,
  ): { readonly arrived: Set<Probe>; readonly late: Set<Probe> } {
    const first = this.#sent.length;
    const arrived = new Set<Probe>();
    const late = new Set<Probe>();
    const hear = (id: number, ear: Ear) => {
      const probe = this.#sent[id];
      if (!probe || probe.to.name !== ear.place || probe.protocol !== ear.protocol) return;
      (id < first ? late : arrived).add(probe);
    };
    for (const [index, probe] of probes.entries()) {
      this.#transmit(probe);
      if (index % 64 === 0) this.#listen(0, hear);
    }
    const deadline = performance.now() + arrivalMs;
    const missing = () => [...expected].filter((probe) => !arrived.has(probe));
    for (let lacking = missing(); lacking.length > 0 && performance.now() < deadline; lacking = missing()) {
      const end = performance.now() + repeatMs;
      while (performance.now() < end && missing().length > 0) this.#listen(20, hear);
      if (performance.now() >= end) for (const probe of missing()) this.#transmit(probe);
    }
    const end = performance.now() + absenceMs;
    while (performance.now() < end) this.#listen(Math.ceil(end - performance.now()), hear);
    return { arrived, late };
  }

  /** Opens a place's sockets; it must have its addresses. */
  open(place: Place): void {
    const path = this.#pathOf(place);
    const namespace = this.#names.get(path) ?? openNamespace(path);
    this.#names.set(path, namespace);
    for (const family of [4, 6] as const) {
      for (const protocol of protocolsOf[family]) {
        const key = keyOf(place, family, protocol);
        if (this.#ears.has(key)) continue;
        const type = 'raw';
        const socket = InetSocket.open({
          namespace,
          family,
          type,
          protocol: numbers[protocol],
          receiveBufferBytes,
        });
        socket.bind({ address: place.addresses[family], port: 0 });
        this.#ears.set(key, { fd: socket.fd, socket, place: place.name, protocol });
      }
    }
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#ears.values()) socket.close();
    for (const namespace of this.#names.values()) closeNamespace(namespace);
  }

  #transmit(probe: Probe): void {
    const { from, to, family, protocol, target } = probe;
    const id = this.#sent.push(probe) - 1;
    const ear = this.#ears.get(keyOf(from, family, protocol));
    if (!ear) throw new Error(`Nobody is at ${from.name}`);
    const address = target?.address ?? to.addresses[family];
    try {
      ear.socket.sendTo(encode(probe, id, address), { address, port: 0 });
    } catch (error) {
      // A sender whose own node refuses is told so at once: then the packet does not arrive.
      if ((error as KernelError).code !== 'EPERM') throw error;
    }
  }

  #listen(timeoutMs: number, hear: (id: number, ear: Ear) => void): void {
    for (const ear of pollReadable([...this.#ears.values()], timeoutMs)) {
      for (let got = ear.socket.receiveFrom(); got; got = ear.socket.receiveFrom()) {
        const id = decode(ear.protocol, withoutIpHeader(got.data, got.from.address));
        if (id !== undefined) hear(id, ear);
      }
    }
  }
}

const keyOf = ({ name }: Place, family: Family, protocol: ProbeProtocol) => `${name} ${family} ${protocol}`;

function encode(probe: Probe, id: number, destination: string): Uint8Array {
  const { from, family, protocol, sourcePort, target } = probe;
  const destinationPort = target?.port ?? probe.destinationPort;
  const flow = { source: from.addresses[family], destination, sourcePort, destinationPort, id };
  switch (protocol) {
    case 'TCP':
      return encodeTcpStart(flow);
    case 'UDP':
      return encodeUdpStart(flow);
    case 'SCTP':
      return encodeSctp({
        kind: 'INIT',
        sourcePort,
        destinationPort,
        verificationTag: 0,
        initiateTag: id,
      });
    default:
      return encodeIcmp(family, destinationPort, id);
  }
}

/** The id of a probe; undefined for all else. */
function decode(protocol: ProbeProtocol, bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (protocol) {
    case 'TCP':
      return bytes.length < 20 ? undefined : decodeTcpStart(bytes, view.getUint16(2));
    case 'UDP':
      return bytes.length === 12 ? view.getUint32(8) : undefined;
    case 'SCTP': {
      const packet = decodeSctp(bytes);
      return packet?.kind === 'INIT' ? packet.initiateTag : undefined;
    }
    default:
      return decodeIcmp(bytes);
  }
}
