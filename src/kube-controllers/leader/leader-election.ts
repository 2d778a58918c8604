// Leads or waits to lead: of all processes that name the same Lease, one at a time acts. A holder that falls silent is
// succeeded after the lease's duration, measured by our own clock from when we last saw it change: clocks of two machines are
// never compared. Source: https://kubernetes.io/docs/concepts/architecture/leases/
import { type Datastore, ifThere, ifUnchanged } from '../../datastore/index.ts';
import type { Logger } from '../../process/index.ts';
import { type Lease, leases } from '../../resources/index.ts';
import { claimed, type LeaseName, released } from './lease-record.ts';

export interface LeaderElectionOptions {
  readonly datastore: Datastore;
  readonly lease: LeaseName;
  /** Names this process among the candidates. */
  readonly identity: string;
  readonly log: Logger;
  /** Begins to act. */
  readonly onLead: () => void;
  /** Acts no more; the next may lead as soon as this resolves or the lease runs out. */
  readonly onLost: () => Promise<void>;
  /** How long a silent holder is believed in; 15 s when absent. */
  readonly leaseDurationMs?: number;
  /** How long a holder tries to renew before it gives up, less than the duration; 10 s when absent. */
  readonly renewDeadlineMs?: number;
  /** Time between two tries; 2 s when absent. */
  readonly retryPeriodMs?: number;
}

export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #durationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  /** The holder's last sign of life, and when we saw it. */
  #seen: { readonly sign: string; readonly atMs: number } | undefined;
  #lastRenewedMs = 0;
  #isLeading = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #step: Promise<void> = Promise.resolve();

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#durationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryPeriodMs ?? 2000;
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  start(): void {
    this.#tick();
  }

  /** Resolves when this process acts no more and, if it led, has given the lease back. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#step;
    if (!this.#isLeading) return;
    await this.#lose('calico-kube-controllers is shutting down');
    const stored = await this.#read();
    if (stored?.spec?.holderIdentity !== this.#options.identity) return;
    await this.#write(released(stored, new Date()));
  }

  #tick(): void {
    this.#step = this.#try().then(() => {
      if (!this.#isStopped) this.#timer = setTimeout(() => this.#tick(), this.#retryMs);
    });
  }

  async #try(): Promise<void> {
    const { log } = this.#options;
    const isHeld = await this.#withinDeadline(this.#renew()).catch((error: unknown) => {
      log.warn({ error }, 'Cannot renew the lease; trying again');
      return this.#isLeading && performance.now() - this.#lastRenewedMs < this.#renewDeadlineMs;
    });
    if (isHeld && !this.#isLeading) {
      this.#isLeading = true;
      log.info({ identity: this.#options.identity }, 'Leading');
      this.#options.onLead();
    }
    if (!isHeld && this.#isLeading)
      await this.#lose('another process leads, or the lease could not be renewed');
  }

  /** Takes or renews the lease where that may be done. Returns whether it is ours. */
  async #renew(): Promise<boolean> {
    const { lease, identity } = this.#options;
    const stored = await this.#read();
    if (stored && !this.#isFree(stored)) return false;
    const startedMs = performance.now();
    const isWritten = await this.#write(
      claimed(stored, lease, identity, Math.ceil(this.#durationMs / 1000), new Date()),
    );
    // Counted from before the write: others may have seen it as early.
    if (isWritten) this.#lastRenewedMs = startedMs;
    return isWritten;
  }

  #isFree({ spec }: Lease): boolean {
    const holder = spec?.holderIdentity ?? '';
    if (holder === '' || holder === this.#options.identity) return true;
    const sign = `${holder} ${spec?.renewTime} ${spec?.leaseTransitions}`;
    if (this.#seen?.sign !== sign) this.#seen = { sign, atMs: performance.now() };
    const durationMs = (spec?.leaseDurationSeconds ?? 0) * 1000 || this.#durationMs;
    return performance.now() - this.#seen.atMs >= durationMs;
  }

  #read(): Promise<Lease | undefined> {
    const { datastore, lease } = this.#options;
    return ifThere(datastore.get(leases, lease));
  }

  /** Returns false when another was faster. */
  #write(lease: Lease): Promise<boolean> {
    const { datastore } = this.#options;
    return ifUnchanged(() =>
      lease.metadata.resourceVersion ? datastore.update(leases, lease) : datastore.create(leases, lease),
    );
  }

  /** A request that hangs must not keep us leading beyond the time in which we have to renew. */
  async #withinDeadline<T>(work: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const spentMs = this.#isLeading ? performance.now() - this.#lastRenewedMs : 0;
    const timer = setTimeout(
      () => late.reject(new Error('The API server did not answer in time')),
      Math.max(0, this.#renewDeadlineMs - spentMs),
    );
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #lose(why: string): Promise<void> {
    this.#isLeading = false;
    this.#options.log.warn({ why }, 'Leading no more');
    await this.#options.onLost();
  }
}
