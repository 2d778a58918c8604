// One random schedule: pods come and go on two or three nodes at once while agents die, writes are refused or late, and replies
// get lost; then all becomes quiet, garbage is collected, and what is left is judged. The seed decides everything.
import assert from 'node:assert/strict';
import { UnavailableError } from '../../src/datastore/index.ts';
import { AddressInUseError, type GarbageCollector, PoolExhaustedError } from '../../src/ipam/index.ts';
import { addressAt, type Cidr, cidrSize, type Family } from '../../src/net/index.ts';
import { ipamConfigurations } from '../../src/resources/index.ts';
import { Random } from '../random.ts';
import { TortureCluster } from './cluster.ts';
import { Crash, type FaultCounts, type FaultRates, type FaultyProcess, noFaults } from './faulty-process.ts';
import { auditStore, drawTheRest, rangesOf } from './final-audit.ts';
import { Interleaving } from './interleaving.ts';

/** What a schedule came through. */
export interface ScheduleResult {
  readonly faults: FaultCounts;
  readonly added: number;
  readonly refused: number;
  readonly collected: number;
}

interface PoolChoice {
  readonly cidr: string;
  readonly blockSize: number;
}

/** Longer than the collector's grace, and than any cooldown. */
const quietSeconds = 20 * 60;

/** @throws AssertionError when an address was given twice or lost, or the store does not add up */
export async function runSchedule(seed: number): Promise<ScheduleResult> {
  const random = new Random(seed);
  const interleaving = new Interleaving(random);
  const rates = random.pick(climates);
  const faults: FaultCounts = { ...noFaults };
  const families = random.pick<readonly Family[]>([[4], [6], [4, 6]]);
  const pools = families.map((family) => random.pick(poolChoices[family]));
  const nodes = ['a', 'b', 'c'].slice(0, random.between(2, 3)).map((letter) => `node-${letter}`);
  const configuration = {
    strictAffinity: random.chance(0.3),
    autoAllocateBlocks: true,
    ...(random.chance(0.5) && { ipCooldownSeconds: random.pick([5, 30, 300]) }),
    ...(random.chance(0.3) && { maxBlocksPerHost: random.between(1, 4) }),
  };
  const cluster = await TortureCluster.make({
    random,
    interleaving,
    rates,
    counts: faults,
    pools,
    nodes,
    configuration,
  });
  const schedule = new Schedule({ cluster, random, interleaving, families, nodes, ranges: rangesOf(pools) });
  for (let phase = random.between(1, 3); phase > 0; phase--) {
    await schedule.phase(rates);
    cluster.advance(quietSeconds);
  }
  await schedule.collect();
  await auditStore(cluster.store, cluster.held);

  const [stored] = await cluster.store.list(ipamConfigurations);
  assert.ok(stored);
  // Whoever draws the rest must be allowed to: affinity and limits are rules, not losses.
  const lax = { ...stored.spec, strictAffinity: false, maxBlocksPerHost: 0 };
  await cluster.store.update(ipamConfigurations, { ...stored, spec: lax });
  const { store, held, now } = cluster;
  await drawTheRest({ store, held, pools: rangesOf(pools), node: nodes[0] ?? '', now });
  return {
    faults,
    added: schedule.added,
    refused: schedule.refused,
    collected: schedule.collected,
  };
}

const climates: readonly FaultRates[] = [
  noFaults,
  { crash: 0.01, conflict: 0.03, lostReply: 0.03, lateWrite: 0.01, unavailable: 0.01 },
  { crash: 0.05, conflict: 0.05, lostReply: 0.02, lateWrite: 0.02, unavailable: 0.02 },
  { crash: 0, conflict: 0.3, lostReply: 0, lateWrite: 0, unavailable: 0 },
  { crash: 0.02, conflict: 0.02, lostReply: 0.15, lateWrite: 0.1, unavailable: 0.05 },
];

const poolChoices: Record<Family, readonly PoolChoice[]> = {
  4: [
    { cidr: '10.0.0.0/28', blockSize: 30 },
    { cidr: '10.0.0.0/27', blockSize: 29 },
    { cidr: '10.0.0.0/29', blockSize: 32 },
  ],
  6: [
    { cidr: 'fd00::/124', blockSize: 126 },
    { cidr: 'fd00::/123', blockSize: 125 },
  ],
};

class Schedule {
  added = 0;
  refused = 0;
  collected = 0;
  readonly #cluster: TortureCluster;
  readonly #random: Random;
  readonly #interleaving: Interleaving;
  readonly #families: readonly Family[];
  readonly #nodes: string[];
  readonly #ranges: readonly Cidr[];
  #janitor: { readonly process: FaultyProcess; readonly collector: GarbageCollector } | undefined;
  #serial = 0;

  constructor(parts: {
    readonly cluster: TortureCluster;
    readonly random: Random;
    readonly interleaving: Interleaving;
    readonly families: readonly Family[];
    readonly nodes: readonly string[];
    readonly ranges: readonly Cidr[];
  }) {
    this.#cluster = parts.cluster;
    this.#random = parts.random;
    this.#interleaving = parts.interleaving;
    this.#families = parts.families;
    this.#nodes = [...parts.nodes];
    this.#ranges = parts.ranges;
  }

  /** A crowd of pods, at once, beside a collector and a clock that goes on. */
  async phase(rates: FaultRates): Promise<void> {
    const random = this.#random;
    const tasks = Array.from({ length: random.between(4, 16) }, () => this.#podLife());
    if (random.chance(0.7)) tasks.push(this.#collectAmidst(rates));
    if (random.chance(0.2) && this.#nodes.length > 1) tasks.push(this.#loseNode());
    tasks.push(this.#letTimePass());
    await this.#interleaving.run(tasks);
  }

  /** Sweeps until nothing is left to do, as time goes on without faults. */
  async collect(): Promise<void> {
    const collector = this.#cluster.collector(this.#cluster.process(noFaults));
    const sweeping = async () => {
      for (let sweeps = 0; ; sweeps++) {
        const { waiting, collected, failures } = await collector.sweep();
        assert.deepEqual(failures, []);
        this.collected += collected;
        if (waiting + collected === 0) return;
        assert.ok(sweeps < 10, 'The garbage collector finds something new in every sweep');
        this.#cluster.advance(quietSeconds);
      }
    };
    await this.#interleaving.run([sweeping()]);
  }

  async #podLife(): Promise<void> {
    const random = this.#random;
    const name = `pod-${++this.#serial}`;
    const node = random.pick(this.#nodes);
    await this.#cluster.createPod(name, node);
    let isUp = false;
    for (let tries = random.between(1, 3); tries > 0 && !isUp; tries--) {
      await this.#pause(random.below(6));
      if (!this.#nodes.includes(node)) return;
      isUp = await this.#survives(() => this.#add(name, node));
      // As the runtime does after a failed ADD; it may fail too.
      if (!isUp) await this.#survives(() => this.#cluster.release(name, node));
    }
    if (isUp) this.added++;
    await this.#pause(random.below(10));
    if (!this.#nodes.includes(node) || (isUp && random.chance(0.4))) return;
    // Some are forgotten by a runtime that gives up, or was never told.
    for (let tries = random.below(4); tries > 0; tries--) {
      if (!this.#nodes.includes(node)) return;
      if (await this.#survives(() => this.#cluster.release(name, node))) break;
    }
    if (this.#nodes.includes(node)) await this.#cluster.deletePod(name);
  }

  async #add(name: string, node: string): Promise<void> {
    const random = this.#random;
    if (random.chance(0.85)) return this.#cluster.add(name, node, this.#families);
    const range = random.pick(this.#ranges);
    const offset = BigInt(random.below(Number(cidrSize(range))));
    return this.#cluster.addAt(name, node, addressAt(range, offset));
  }

  /** Returns false for what may go wrong in such a world; anything else is a fault of ours. */
  async #survives(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      const faults: unknown[] = error instanceof AggregateError ? error.errors : [error];
      for (const fault of faults) {
        if (fault instanceof PoolExhaustedError || fault instanceof AddressInUseError) this.refused++;
        else if (!(fault instanceof Crash || fault instanceof UnavailableError)) throw error;
      }
      return false;
    }
  }

  /** What it found in an earlier phase has had its grace by now, and is repaired amidst requests. */
  async #collectAmidst(rates: FaultRates): Promise<void> {
    for (let sweeps = this.#random.between(1, 3); sweeps > 0; sweeps--) {
      if (!this.#janitor || this.#janitor.process.isDead) {
        const process = this.#cluster.process(rates);
        this.#janitor = { process, collector: this.#cluster.collector(process) };
      }
      const { collector } = this.#janitor;
      await this.#survives(async () => {
        this.collected += (await collector.sweep()).collected;
      });
    }
  }

  async #loseNode(): Promise<void> {
    await this.#pause(this.#random.below(40));
    const [node = ''] = this.#nodes.splice(this.#random.below(this.#nodes.length - 1) + 1, 1);
    await this.#survives(() => this.#cluster.removeNode(node, this.#random.chance(0.5)));
  }

  async #letTimePass(): Promise<void> {
    for (let steps = this.#random.below(8); steps > 0; steps--) {
      await this.#pause(this.#random.below(20));
      this.#cluster.advance(this.#random.pick([1, 10, 65]));
    }
  }

  async #pause(turns: number): Promise<void> {
    for (let left = turns; left > 0; left--) await this.#interleaving.turn();
  }
}
