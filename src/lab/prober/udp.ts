// UDP probes: a datagram that carries its id. Each wave sends from fresh sockets, so that every probe is a new flow.
import { type InetSocket, pollReadable } from '../../kernel/index.ts';
import type { Transmitter } from './probe.ts';
import { openIn, type PodSite } from './site.ts';
import type { Target } from './target.ts';

/** 4 bytes, network order. */
export function encodeId(id: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

/** Undefined for a datagram that is no probe. */
export function decodeId(bytes: Uint8Array): number | undefined {
  return bytes.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) : undefined;
}

export function udpTransmitter(senders: readonly PodSite[], targets: readonly Target[]): Transmitter {
  const sending = senders.map((site) => site.open('udp'));
  const receiving = targets.map(({ site, port }) => site.receiver('udp', port));
  const sentinels: InetSocket[] = [];
  return {
    send(from, to, id) {
      const target = targets[to];
      if (target) sending[from]?.sendTo(encodeId(id), { address: target.site.pod.ip, port: target.port });
    },
    sendSentinel(to, id) {
      const target = targets[to];
      if (!target) return;
      const socket = openIn(target.node.namespace, target.site.pod.ip, 'udp');
      sentinels.push(socket);
      socket.sendTo(encodeId(id), { address: target.site.pod.ip, port: target.port });
    },
    receive(timeoutMs, seen) {
      for (const socket of pollReadable(receiving, timeoutMs)) {
        for (let got = socket.receiveFrom(); got; got = socket.receiveFrom()) {
          const id = decodeId(got.data);
          if (id !== undefined) seen(id);
        }
      }
    },
    close() {
      for (const socket of [...sending, ...sentinels]) socket.close();
    },
  };
}
