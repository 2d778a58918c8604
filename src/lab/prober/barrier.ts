// The barrier between probes and sentinels: when it has been passed, every probe has arrived or has been dropped.
//
// Why it holds. The prober runs on one CPU, and a packet that it sends over veth, bridge and VXLAN devices is handled by
// software interrupts of that CPU from end to end: at each device it is put into a first-in first-out queue of the CPU (its
// backlog, or the tunnel device's receive queue) and taken out again there. Mostly all of it has happened when send()
// returns; on a busy machine the rest is left to a kernel thread of the same CPU. A message that travels between two nodes
// by the way of pod traffic passes those same queues behind everything that was sent earlier, so each of its laps carries
// every earlier packet at least one queue further. A probe passes at most four queues in one direction, and a TCP
// handshake three times that; the laps below are more than either needs.
import { InetSocket, pollReadable } from '../../kernel/index.ts';
import { familyOf } from '../../net/index.ts';
import { anyAddress, type NodeSite } from './site.ts';
import { decodeId, encodeId } from './udp.ts';

/** Round trips between each two nodes, each two laps of at least one queue. */
const roundTrips = 8;
const deadlineMs = 10_000;
const repeatMs = 50;

interface Station {
  readonly site: NodeSite;
  readonly socket: InetSocket;
  readonly port: number;
}

export class Barrier {
  readonly #stations = new Map<string, Station>();
  #lap = 0;

  /** Opens the node's end. */
  add(site: NodeSite): void {
    const { address } = site.node;
    const family = familyOf(address);
    const socket = InetSocket.open({ namespace: site.namespace, family, type: 'datagram' });
    socket.bind({ address: anyAddress(address), port: 0 });
    this.#stations.set(site.node.name, { site, socket, port: socket.localAddress().port });
  }

  /** @throws Error when two nodes cannot reach each other */
  settle(): void {
    const byFamily = Map.groupBy(this.#stations.values(), ({ site }) => familyOf(site.node.address));
    for (const stations of byFamily.values()) this.#settleAmong(stations);
  }

  close(): void {
    for (const { socket } of this.#stations.values()) socket.close();
  }

  #settleAmong(stations: readonly Station[]): void {
    for (const [position, from] of stations.entries()) {
      // A node alone laps over its own loopback device, whose packets pass the same CPU's backlog.
      const others = stations.length === 1 ? stations : stations.slice(position + 1);
      for (const to of others) {
        for (let trip = 0; trip < roundTrips; trip++) {
          this.#run(from, to);
          this.#run(to, from);
        }
      }
    }
  }

  /** One lap. A message that is lost, as while routes are still being made, is sent again: only a later one proves more. */
  #run(from: Station, to: Station): void {
    this.#lap = (this.#lap + 1) >>> 0;
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      from.socket.sendTo(encodeId(this.#lap), { address: to.site.node.address, port: to.port });
      pollReadable([to.socket], repeatMs);
      for (let got = to.socket.receiveFrom(); got; got = to.socket.receiveFrom()) {
        if (decodeId(got.data) === this.#lap) return;
      }
      if (performance.now() > deadline) {
        throw new Error(
          `Node ${to.site.node.name} (${to.site.node.address}) did not hear node ${from.site.node.name} within ${deadlineMs} ms`,
        );
      }
    }
  }
}
