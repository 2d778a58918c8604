// Collects what crashes and removed nodes left in a cluster's address management: judges everything afresh in each sweep, and
// repairs what was found wrong in the very same state for a whole period of grace. When to sweep is the caller's affair.
import type { Datastore } from '../../datastore/index.ts';
import { type IPAMConfiguration, ipamConfigurations } from '../../resources/index.ts';
import { restOf } from '../rest.ts';
import { auditIpam } from './audit.ts';
import { idleBlocks } from './idle-blocks.ts';
import { IpamRepair } from './repair.ts';
import { readSnapshot } from './snapshot.ts';

export interface GarbageCollectorOptions {
  /**
   * How long a finding must stand; 15 minutes when absent. It must exceed the time that any request may take: what an agent
   * is just assigning looks like a handle that counts too many.
   */
  readonly graceMs?: number;
  readonly now?: () => Date;
  /** Milliseconds on a clock that nobody sets: the time of day may jump, and no grace shall end by that. */
  readonly elapsedMs?: () => number;
}

/** What a sweep came upon and did, in numbers. */
export interface Sweep {
  /** Findings that still wait for their grace to end. */
  readonly waiting: number;
  readonly collected: number;
  /** One sentence per finding that could not be repaired; it is tried again in the next sweep. */
  readonly failures: readonly string[];
}

interface Finding {
  /** Names the finding and the state in which it was found. */
  readonly key: string;
  /** Returns false when it has changed since. */
  readonly repair: () => Promise<boolean>;
}

const defaultGraceMs = 15 * 60_000;

export class GarbageCollector {
  readonly #datastore: Datastore;
  readonly #repair: IpamRepair;
  readonly #graceMs: number;
  readonly #now: () => Date;
  readonly #elapsedMs: () => number;
  /** When each finding was first seen, by that clock. */
  #seen = new Map<string, number>();

  constructor(
    datastore: Datastore,
    {
      graceMs = defaultGraceMs,
      now = () => new Date(),
      elapsedMs = () => performance.now(),
    }: GarbageCollectorOptions = {},
  ) {
    this.#datastore = datastore;
    this.#repair = new IpamRepair(datastore, now);
    this.#graceMs = graceMs;
    this.#now = now;
    this.#elapsedMs = elapsedMs;
  }

  /** @throws the datastore's errors when it cannot be read; what could be repaired before is not forgotten */
  async sweep(): Promise<Sweep> {
    const findings = await this.#findings();
    const now = this.#elapsedMs();
    // What was repaired, or has changed, begins its grace anew should it come back.
    this.#seen = new Map(findings.map(({ key }) => [key, this.#seen.get(key) ?? now]));
    const failures: string[] = [];
    let collected = 0;
    let waiting = 0;
    for (const { key, repair } of findings) {
      if (now - (this.#seen.get(key) ?? now) < this.#graceMs) {
        waiting++;
        continue;
      }
      try {
        if (await repair()) collected++;
      } catch (error) {
        failures.push(`Cannot collect ${key}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return { waiting, collected, failures };
  }

  async #findings(): Promise<Finding[]> {
    const snapshot = await readSnapshot(this.#datastore);
    const configurations: IPAMConfiguration[] = await this.#datastore.list(ipamConfigurations);
    const configuration = configurations.find(({ metadata }) => metadata.name === 'default');
    const { thaw } = restOf(configuration?.spec, this.#now);
    const audit = auditIpam(snapshot);
    const repair = this.#repair;
    return [
      ...audit.leakedAddresses.map((leaked) => ({
        key: `address ${leaked.address} of "${leaked.handle ?? ''}" (${leaked.sequenceNumber ?? 0})`,
        repair: () => repair.releaseAllocation(leaked),
      })),
      ...audit.wrongHandles.map((wrong) => ({
        key: `handle "${wrong.handle}" (${wrong.resourceVersion})`,
        repair: () => repair.recountHandle(wrong),
      })),
      ...audit.halfClaimedBlocks.map((half) => ({
        key: `claim of "${half.node}" on ${half.block} (${half.state}, ${half.resourceVersion ?? ''})`,
        repair: () => repair.settleClaim(half),
      })),
      ...audit.orphanedBlocks.map((orphan) => ({
        key: `block ${orphan.block} of the removed node "${orphan.node}"`,
        repair: () => repair.releaseOrphan(orphan).then(() => true),
      })),
      ...idleBlocks(snapshot, thaw).map((idle) => ({
        key: `idle block ${idle.block} (${idle.resourceVersion})`,
        repair: () => repair.releaseIdle(idle, thaw),
      })),
    ];
  }
}
