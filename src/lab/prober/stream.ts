// Probes without pause: every flow is probed again and again, a round of all of them each millisecond, until its verdict
// has turned. Over UDP a flow is probed twice, by packets of new flows and by packets of one established flow, which a
// change of policy must turn as well; over TCP by the first packets of new connections.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LaneReport, StreamResult } from './messages.ts';
import type { PodSite } from './site.ts';
import { type Lane, StreamLanes } from './stream-lanes.ts';
import type { Target } from './target.ts';

/** Rounds begin this far apart where they take less; together with what else happens it stays below a millisecond. */
const roundMs = 0.75;
/** A flow counts as turned after this many probes in a row with the new verdict. */
const steadyProbes = 40;
/** Until then the first rounds are slower, because the code that they run is still being compiled. */
const warmUpRounds = 60;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

export interface StreamPair {
  readonly from: PodSite;
  readonly target: Target;
}

export class Stream {
  readonly #lanes: StreamLanes;
  readonly #settle: () => void;
  #running: Promise<void> | undefined;
  #stopped = false;
  #fault: unknown;
  #roundAt = 0n;
  readonly #gapsMs: number[] = [];
  #rounds = 0;

  constructor(
    protocol: 'udp' | 'tcp',
    pairs: readonly StreamPair[],
    settle: () => void,
    nextId: () => number,
  ) {
    this.#lanes = new StreamLanes(protocol, pairs, nextId);
    this.#settle = settle;
  }

  /** Establishes the flows that can be, and goes on in the background. Resolves when the stream has got up to speed. */
  async start(): Promise<void> {
    this.#lanes.establish(this.#settle);
    this.#running = this.#run();
    while (this.#rounds < warmUpRounds && !this.#fault) await nextTurn();
    this.#gapsMs.length = 0;
  }

  /** Goes on until every flow has turned, and stops. @throws Error that names flows that have not by the deadline */
  async untilTurned(verdict: 'open' | 'blocked', deadlineMs: number): Promise<StreamResult> {
    const startedAt = process.hrtime.bigint();
    const wanted = verdict === 'open';
    const turned = (lane: Lane) => lane.tail(wanted) >= steadyProbes;
    for (;;) {
      if (this.#fault) throw this.#fault;
      if (this.#lanes.all.every(turned)) {
        // A verdict is only final once everything that was sent has arrived or has been dropped.
        this.#settle();
        this.#lanes.confirm();
        if (this.#lanes.all.every(turned)) break;
      }
      if (process.hrtime.bigint() - startedAt > BigInt(deadlineMs) * 1_000_000n) {
        const stuck = this.#lanes.all.filter((lane) => !turned(lane)).map(({ name }) => name);
        throw new Error(
          `Not ${verdict} ${deadlineMs} ms after the change: ${stuck.slice(0, 6).join(', ')}${stuck.length > 6 ? ` and ${stuck.length - 6} more` : ''}`,
        );
      }
      await nextTurn();
    }
    this.#stopped = true;
    await this.#running;
    const lanes = this.#lanes.all;
    this.#gapsMs.sort((a, b) => a - b);
    return {
      probes: lanes.reduce((sum, lane) => sum + lane.sent, 0),
      lastOldAt: String(latest(lanes.map((lane) => lane.lastAt(!wanted)))),
      turnedAt: String(latest(lanes.map((lane) => lane.turnedAt(wanted)))),
      medianGapMs: this.#gapsMs[this.#gapsMs.length >> 1] ?? 0,
      widestGapMs: this.#gapsMs.at(-1) ?? 0,
    };
  }

  /** Stops, lets what is under way arrive, and tells how each lane fared. */
  async stop(): Promise<LaneReport[]> {
    this.#stopped = true;
    await this.#running;
    if (this.#fault) throw this.#fault;
    this.#settle();
    this.#lanes.receive();
    return this.#lanes.all.map((lane) => lane.report());
  }

  close(): void {
    this.#stopped = true;
    this.#lanes.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#round();
      } catch (error) {
        this.#fault = error;
        return;
      }
      // Sleeping, not spinning: the agents need this processor too, and it is their speed that is being measured.
      const spentMs = Number(process.hrtime.bigint() - this.#roundAt) / 1e6;
      if (spentMs < roundMs) Atomics.wait(sleeper, 0, 0, roundMs - spentMs);
      await nextTurn();
    }
  }

  #round(): void {
    const now = process.hrtime.bigint();
    if (this.#roundAt > 0n) this.#gapsMs.push(Number(now - this.#roundAt) / 1e6);
    this.#roundAt = now;
    this.#rounds++;
    this.#lanes.send();
    this.#lanes.receive();
  }
}

function latest(times: readonly bigint[]): bigint {
  let last = 0n;
  for (const time of times) if (time > last) last = time;
  return last;
}
