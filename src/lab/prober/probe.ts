// One wave of probes: every sender to every receiver, then a barrier, then one sentinel to each receiver, and then the
// receivers are read until every sentinel has come. What was not seen by then was blocked: no clock decides it.

/** How one transport sends and sees. Ids are unsigned 32-bit integers, never zero. */
export interface Transmitter {
  /** Sends a probe as a new flow, from the sender at a position to the receiver at a position. */
  send(from: number, to: number, id: number): void;
  /** Sends an id to a receiver from its own node, which no policy may forbid. */
  sendSentinel(to: number, id: number): void;
  /** Waits until a receiver has something, `timeoutMs` at most, and tells which ids have arrived. */
  receive(timeoutMs: number, seen: (id: number) => void): void;
  close(): void;
}

/** Far beyond what a sentinel needs on a busy machine; when it is missed, the wave has failed and says nothing about policy. */
const sentinelDeadlineMs = 5_000;

/** [sender, receiver] of every probe that arrived. `receivers` are the positions to probe. @throws Error when a sentinel is lost */
export function probeWave(
  transmitter: Transmitter,
  senders: number,
  receivers: readonly number[],
  settle: () => void,
  nextId: () => number,
): [number, number][] {
  const probes = new Map<number, [number, number]>();
  const sentinels = new Map<number, number>();
  const open: [number, number][] = [];
  const seen = (id: number): void => {
    const probe = probes.get(id);
    if (probe) {
      probes.delete(id);
      open.push(probe);
    }
    sentinels.delete(id);
  };
  for (let from = 0; from < senders; from++) {
    for (const to of receivers) {
      const id = nextId();
      probes.set(id, [from, to]);
      transmitter.send(from, to, id);
    }
    // Read along the way: the buffers of a receiver need not hold the probes of the whole cluster.
    transmitter.receive(0, seen);
  }
  settle();
  for (const to of receivers) {
    const id = nextId();
    sentinels.set(id, to);
    transmitter.sendSentinel(to, id);
  }
  const deadline = performance.now() + sentinelDeadlineMs;
  while (sentinels.size > 0) {
    const left = deadline - performance.now();
    if (left <= 0) {
      throw new Error(
        `A sentinel from its own node did not reach ${sentinels.size} of ${receivers.length} pods within ${sentinelDeadlineMs} ms`,
      );
    }
    transmitter.receive(Math.ceil(left), seen);
  }
  // The sentinel is the last that a receiver was sent: what lies before it in the same socket has been read with it.
  return open;
}
