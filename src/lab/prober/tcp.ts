// TCP probes: a connection that the listener accepts, known by its source address and port, which are read from the
// connecting socket as soon as its first packet is out. A handshake needs both directions; a probe arrives when it is complete.
import { type InetSocket, pollReadable } from '../../kernel/index.ts';
import type { Transmitter } from './probe.ts';
import { openIn, type PodSite } from './site.ts';
import type { Target } from './target.ts';

export function tcpTransmitter(senders: readonly PodSite[], targets: readonly Target[]): Transmitter {
  const targetOf = new Map(targets.map((target) => [target.site.receiver('tcp', target.port), target]));
  const listeners = [...targetOf.keys()];
  const connecting: InetSocket[] = [];
  const ids = new Map<string, number>();
  const connect = (socket: InetSocket, target: Target, id: number): void => {
    connecting.push(socket);
    socket.connect({ address: target.site.pod.ip, port: target.port });
    ids.set(flowKey(socket.localAddress(), target), id);
  };
  return {
    send(from, to, id) {
      const [site, target] = [senders[from], targets[to]];
      if (site && target) connect(site.open('tcp'), target, id);
    },
    sendSentinel(to, id) {
      const target = targets[to];
      if (target) connect(openIn(target.node.namespace, target.site.pod.ip, 'tcp'), target, id);
    },
    receive(timeoutMs, seen) {
      for (const listener of pollReadable(listeners, timeoutMs)) {
        const target = targetOf.get(listener);
        for (let accepted = listener.accept(); accepted; accepted = listener.accept()) {
          const id = target && ids.get(flowKey(accepted.peer, target));
          accepted.socket.resetOnClose();
          accepted.socket.close();
          if (id !== undefined) seen(id);
        }
      }
    },
    close() {
      // A connection that never came about ends here without a packet, before the kernel would have tried again.
      for (const socket of connecting) socket.close();
    },
  };
}

/** The same source may connect to several receivers. */
function flowKey(source: { address: string; port: number }, target: Target): string {
  return `${source.address} ${source.port} ${target.site.pod.ip} ${target.port}`;
}
