// Tidies up after nodes: addresses, handles, claims and blocks that crashes and removed nodes left behind are collected once
// their grace has passed, and every sweep leaves fresh figures in the metrics.
import { GarbageCollector, readSnapshot } from '../../ipam/index.ts';
import { timerMs, WorkQueue } from '../../process/index.ts';
import { ipReservations, type Node, nodes } from '../../resources/index.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { ObjectCache } from '../object-cache.ts';
import { ipamFigures } from './ipam-figures.ts';
import type { IpamMetrics } from './ipam-metrics.ts';

const sweep = 'sweep';

/** Between sweeps where nobody wants any: figures in metrics are believed, and would be of a time long past. */
const figuresPeriodMs = 5 * 60_000;

export interface NodeControllerOptions {
  /** How long a finding must stand before it is collected, in ms; 0 collects nothing. */
  readonly leakGraceMs: number;
  readonly metrics: IpamMetrics;
}

export class NodeController implements Controller {
  readonly name = 'node';
  readonly #context: ControllerContext;
  readonly #options: NodeControllerOptions;
  readonly #collector: GarbageCollector | undefined;
  readonly #nodes: ObjectCache<Node>;
  readonly #queue: WorkQueue;
  readonly #timer: NodeJS.Timeout;

  constructor(context: ControllerContext, options: NodeControllerOptions) {
    const { datastore, log, reconcilerPeriodMs } = context;
    const { leakGraceMs } = options;
    this.#context = context;
    this.#options = options;
    this.#collector = leakGraceMs > 0 ? new GarbageCollector(datastore, { graceMs: leakGraceMs }) : undefined;
    this.#queue = new WorkQueue({
      work: () => this.#sweep(),
      onFailure: (_key, error) =>
        log.warn({ error }, "Cannot look through the cluster's addresses; trying again"),
    });
    this.#nodes = new ObjectCache(datastore, nodes, (name) => {
      if (this.#nodes.get(name)) return;
      // The grace of what the node leaves behind begins now.
      this.#queue.add(sweep);
      if (leakGraceMs > 0) this.#queue.addAfter(sweep, leakGraceMs);
    });
    this.#queue.add(sweep);
    // A grace begins when a sweep comes upon a finding, and ends in one.
    const periods = [reconcilerPeriodMs, leakGraceMs / 2].filter((periodMs) => periodMs > 0);
    const periodMs = periods.length > 0 ? Math.min(...periods) : figuresPeriodMs;
    this.#timer = setInterval(() => this.#queue.add(sweep), timerMs(periodMs)).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#nodes.stop();
    await this.#queue.stop();
    // Nobody keeps them up to date any more; where this process no longer leads, another shows them.
    this.#options.metrics.clear();
  }

  async #sweep(): Promise<void> {
    const { datastore, log } = this.#context;
    const { metrics } = this.#options;
    if (this.#collector) {
      const { waiting, collected, failures } = await this.#collector.sweep();
      for (const failure of failures) log.warn(failure);
      if (collected > 0)
        log.info({ collected, waiting }, 'Collected what nobody needs of the address management');
      metrics.swept({ waiting, collected, failed: failures.length });
    }
    const [snapshot, reservations] = await Promise.all([
      readSnapshot(datastore),
      datastore.list(ipReservations),
    ]);
    metrics.show(ipamFigures(snapshot, reservations));
  }
}
