// What the prober holds open: a namespace per node and pod, and in every pod the sockets that answer for it. It opens and
// closes; what travels through the sockets is in the files of the transports.
import { closeNamespace, InetSocket, openNamespace } from '../../kernel/index.ts';
import { familyOf } from '../../net/index.ts';
import type { ProbeProtocol, ProberNode, ProberPod } from './messages.ts';
import { sctpProtocol } from './sctp-packet.ts';

/** Enough for the handshakes of a whole cluster's wave at once. */
const backlog = 4096;

export class NodeSite {
  readonly node: ProberNode;
  readonly namespace: number;

  constructor(node: ProberNode) {
    this.node = node;
    this.namespace = openNamespace(node.namespacePath);
  }

  close(): void {
    closeNamespace(this.namespace);
  }
}

export class PodSite {
  readonly pod: ProberPod;
  readonly namespace: number;
  readonly #receivers = new Map<string, InetSocket>();

  /** Listens on the pod's ports. @throws KernelError */
  constructor(pod: ProberPod) {
    this.pod = pod;
    this.namespace = openNamespace(pod.namespacePath);
    for (const { protocol, port } of pod.listen) this.receiver(protocol, port);
  }

  /**
   * The socket where a probe to this port arrives, opened when there is none yet, so that any port can be asked about.
   * One raw socket receives SCTP for all ports, and one ICMP of all types.
   */
  receiver(protocol: ProbeProtocol, port: number): InetSocket {
    const isRaw = protocol === 'sctp' || protocol === 'icmp';
    const key = isRaw ? protocol : `${protocol}/${port}`;
    const existing = this.#receivers.get(key);
    if (existing) return existing;
    const socket = this.open(protocol);
    this.#receivers.set(key, socket);
    if (!isRaw) socket.bind({ address: anyAddress(this.pod.ip), port });
    if (protocol === 'tcp') socket.listen(backlog);
    return socket;
  }

  /** A new socket in the pod, which is the caller's to close. */
  open(protocol: ProbeProtocol): InetSocket {
    return openIn(this.namespace, this.pod.ip, protocol);
  }

  close(): void {
    for (const socket of this.#receivers.values()) socket.close();
    closeNamespace(this.namespace);
  }
}

/** A socket for a transport in a namespace, of the family of the address that it shall speak to. */
export function openIn(namespace: number, ip: string, protocol: ProbeProtocol): InetSocket {
  const family = familyOf(ip);
  if (protocol === 'sctp') return InetSocket.open({ namespace, family, type: 'raw', protocol: sctpProtocol });
  if (protocol === 'icmp')
    return InetSocket.open({ namespace, family, type: 'raw', protocol: family === 4 ? 1 : 58 });
  return InetSocket.open({ namespace, family, type: protocol === 'udp' ? 'datagram' : 'stream' });
}

export function anyAddress(ip: string): string {
  return familyOf(ip) === 6 ? '::' : '0.0.0.0';
}
