// ICMP probes over raw sockets: a message of any type and code, whose id travels behind its header. Its identifier is the lower
// half of the id, so that every probe of a wave is a new flow. Whatever the receiver's kernel answers is of no interest.
// Sources: RFC 792, RFC 4443 section 2.1.
import { type InetSocket, pollReadable } from '../../kernel/index.ts';
import { familyOf } from '../../net/index.ts';
import { withoutIpHeader } from './flow-packet.ts';
import type { Transmitter } from './probe.ts';
import { openIn, type PodSite } from './site.ts';
import type { Target } from './target.ts';

/** Header and id, and room for the three times that an asked-for timestamp consists of. */
const messageBytes = 20;
const idOffset = 8;
const echoRequest = { 4: 8 << 8, 6: 128 << 8 } as const;

/** Where other transports have a port, ICMP has a type and a code: type * 256 + code. */
export function encodeIcmp(family: 4 | 6, typeAndCode: number, id: number): Uint8Array {
  const bytes = new Uint8Array(messageBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, typeAndCode);
  view.setUint16(4, id & 0xffff);
  view.setUint32(idOffset, id);
  // That of ICMPv6 is made by the kernel, which knows the addresses that are in it (RFC 3542 section 3.1).
  if (family === 4) view.setUint16(2, checksum(view));
  return bytes;
}

/** The id of a message whose type and code have been asked for; of any when `asked` is absent. Undefined for what is none of ours. */
export function decodeIcmp(bytes: Uint8Array, asked?: ReadonlySet<number>): number | undefined {
  if (bytes.length !== messageBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const typeAndCode = view.getUint16(0);
  return asked?.has(typeAndCode) === false ? undefined : view.getUint32(idOffset);
}

function checksum(view: DataView): number {
  let sum = 0;
  for (let offset = 0; offset < view.byteLength; offset += 2) sum += view.getUint16(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function icmpTransmitter(senders: readonly PodSite[], targets: readonly Target[]): Transmitter {
  const sending = senders.map((site) => site.open('icmp'));
  const receiving = targets.map(({ site }) => site.receiver('icmp', 0));
  const sentinels: InetSocket[] = [];
  const asked = new Set([...targets.map(({ port }) => port), ...Object.values(echoRequest)]);
  return {
    send(from, to, id) {
      const target = targets[to];
      if (!target) return;
      const address = { address: target.site.pod.ip, port: 0 };
      sending[from]?.sendTo(encodeIcmp(familyOf(target.site.pod.ip), target.port, id), address);
    },
    sendSentinel(to, id) {
      const target = targets[to];
      if (!target) return;
      const family = familyOf(target.site.pod.ip);
      const socket = openIn(target.node.namespace, target.site.pod.ip, 'icmp');
      sentinels.push(socket);
      socket.sendTo(encodeIcmp(family, echoRequest[family], id), { address: target.site.pod.ip, port: 0 });
    },
    receive(timeoutMs, seen) {
      for (const socket of pollReadable(receiving, timeoutMs)) {
        for (let got = socket.receiveFrom(); got; got = socket.receiveFrom()) {
          // Answers, and what neighbours say to each other, arrive here too.
          const id = decodeIcmp(withoutIpHeader(got.data, got.from.address), asked);
          if (id !== undefined) seen(id);
        }
      }
      // Answers to the probes are nobody's to read, and must not fill buffers.
      for (const socket of sending) while (socket.receive());
    },
    close() {
      for (const socket of [...sending, ...sentinels]) socket.close();
    },
  };
}
