// SCTP probes: an INIT whose initiate tag is the probe's id, over raw sockets; the receiver answers it with an INIT ACK.
// The association goes no further: that a packet which may open one arrives is what a policy decides about.
import { pollReadable } from '../../kernel/index.ts';
import { withoutIpHeader } from './flow-packet.ts';
import type { Transmitter } from './probe.ts';
import { decodeSctp, encodeSctp } from './sctp-packet.ts';
import { openIn, type PodSite } from './site.ts';
import type { Target } from './target.ts';

/** Source ports are taken from here by turns, so that every probe of a wave is a new flow. */
const firstPort = 20_000;
const portCount = 40_000;

export function sctpTransmitter(senders: readonly PodSite[], targets: readonly Target[]): Transmitter {
  const sending = senders.map((site) => site.receiver('sctp', 0));
  const receiving = targets.map(({ site }) => site.receiver('sctp', 0));
  const sentinels = targets.map(({ node, site }) => openIn(node.namespace, site.pod.ip, 'sctp'));
  const init = (target: Target, id: number) =>
    encodeSctp({
      kind: 'INIT',
      sourcePort: firstPort + (id % portCount),
      destinationPort: target.port,
      verificationTag: 0,
      initiateTag: id,
    });
  return {
    send(from, to, id) {
      const target = targets[to];
      if (target) sending[from]?.sendTo(init(target, id), { address: target.site.pod.ip, port: 0 });
    },
    sendSentinel(to, id) {
      const target = targets[to];
      if (target) sentinels[to]?.sendTo(init(target, id), { address: target.site.pod.ip, port: 0 });
    },
    receive(timeoutMs, seen) {
      for (const socket of pollReadable(receiving, timeoutMs)) {
        for (let got = socket.receiveFrom(); got; got = socket.receiveFrom()) {
          const packet = decodeSctp(withoutIpHeader(got.data, got.from.address));
          if (packet?.kind !== 'INIT') continue;
          seen(packet.initiateTag);
          const answer = encodeSctp({
            kind: 'INIT ACK',
            sourcePort: packet.destinationPort,
            destinationPort: packet.sourcePort,
            verificationTag: packet.initiateTag,
            initiateTag: packet.initiateTag,
          });
          socket.sendTo(answer, { address: got.from.address, port: 0 });
        }
      }
    },
    close() {
      for (const socket of sentinels) socket.close();
    },
  };
}
