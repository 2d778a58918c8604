// Keeps a deleted tier until no policy is in it any more, and says of every tier whether it is in use. The built-in tiers are
// part of what policies mean: one that is deleted comes back.
import { ifUnchanged } from '../../datastore/index.ts';
import { builtInTiers } from '../../policy/index.ts';
import { WorkQueue } from '../../process/index.ts';
import {
  apiVersionOf,
  globalNetworkPolicies,
  networkPolicies,
  type Resource,
  type ResourceKind,
  stagedGlobalNetworkPolicies,
  stagedNetworkPolicies,
  type Tier,
  tiers,
} from '../../resources/index.ts';
import { withCondition } from '../conditions.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { setFinalizer } from '../finalizers.ts';
import { ObjectCache } from '../object-cache.ts';

const finalizer = 'projectcalico.org/tier-controller';
const builtIn = new Map(builtInTiers.map((tier) => [tier.name, tier]));

interface TieredPolicy extends Resource {
  spec?: { readonly tier?: string };
}

const tieredKinds = [
  networkPolicies,
  globalNetworkPolicies,
  stagedNetworkPolicies,
  stagedGlobalNetworkPolicies,
] as readonly ResourceKind<TieredPolicy>[];

export class TierController implements Controller {
  readonly name = 'tier';
  readonly #context: ControllerContext;
  readonly #tiers: ObjectCache<Tier>;
  readonly #policies: readonly ObjectCache<TieredPolicy>[];
  /** By the name of a tier. */
  readonly #queue: WorkQueue;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(context: ControllerContext) {
    const { datastore, log, reconcilerPeriodMs } = context;
    this.#context = context;
    this.#queue = new WorkQueue({
      work: (tier) => this.#reconcile(tier),
      onFailure: (tier, error) =>
        log.warn({ error, tier }, `Cannot bring tier "${tier}" in order; trying again`),
    });
    this.#tiers = new ObjectCache(datastore, tiers, (name) => this.#queue.add(name));
    this.#policies = tieredKinds.map(
      (kind) =>
        new ObjectCache(datastore, kind, (_key, states) => {
          for (const policy of states) this.#queue.add(tierOf(policy));
          // One that could not be read is gone, and may have been the last that a tier waited for.
          if (states.length === 0) this.#addAll();
        }),
    );
    this.#addAll();
    if (reconcilerPeriodMs > 0) this.#timer = setInterval(() => this.#addAll(), reconcilerPeriodMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const cache of [this.#tiers, ...this.#policies]) cache.stop();
    await this.#queue.stop();
  }

  #addAll(): void {
    for (const name of builtIn.keys()) this.#queue.add(name);
    for (const { metadata } of this.#tiers.list()) this.#queue.add(metadata.name);
  }

  async #reconcile(name: string): Promise<void> {
    await Promise.all([this.#tiers.inSync, ...this.#policies.map(({ inSync }) => inSync)]);
    const tier = this.#tiers.get(name);
    await ifUnchanged(() => (tier ? this.#settle(tier) : this.#restore(name)));
  }

  async #settle(seen: Tier): Promise<void> {
    const { datastore } = this.#context;
    const { name } = seen.metadata;
    const policies = this.#policies
      .flatMap((cache) => cache.list())
      .filter((policy) => tierOf(policy) === name);
    const tier = await this.#report(seen, policies.length);
    const isDeleted = tier.metadata.deletionTimestamp !== undefined;
    const isWanted = isDeleted ? policies.length > 0 || (await this.#isInUse(name)) : !builtIn.has(name);
    await setFinalizer(datastore, tiers, tier, finalizer, isWanted);
  }

  /** Asks the store itself: a policy may be there whose watch has not told of it yet, or that cannot be read. */
  async #isInUse(tier: string): Promise<boolean> {
    const options = { fieldSelector: `spec.tier=${tier}` };
    let count = 0;
    await Promise.all(
      tieredKinds.map(async (kind) => {
        const found = await this.#context.datastore.list<TieredPolicy>(kind, options, () => count++);
        count += found.length;
      }),
    );
    return count > 0;
  }

  /** Returns the tier as it is stored then. */
  async #report(tier: Tier, policies: number): Promise<Tier> {
    const { name, deletionTimestamp } = tier.metadata;
    const waits = `The tier is being deleted; it goes with the last of its policies, of which there ${policies === 1 ? 'is one' : `are ${policies}`}`;
    const condition = deletionTimestamp
      ? ({ type: 'Ready', status: 'False', reason: 'Terminating', message: waits } as const)
      : ({ type: 'Ready', status: 'True', reason: 'Active', message: '' } as const);
    const conditions = withCondition(tier.status?.conditions, condition, new Date());
    if (!conditions) return tier;
    return this.#context.datastore.mergePatch(
      tiers,
      { name },
      { status: { conditions } },
      { subresource: 'status' },
    );
  }

  async #restore(name: string): Promise<void> {
    const missing = builtIn.get(name);
    if (!missing) return;
    const { order, defaultAction } = missing;
    await this.#context.datastore.create(tiers, {
      apiVersion: apiVersionOf(tiers),
      kind: tiers.kind,
      metadata: { name },
      spec: { ...(order !== undefined && { order }), defaultAction },
    });
  }
}

/** A policy that names no tier is in the default one. */
function tierOf({ spec }: TieredPolicy): string {
  return spec?.tier || 'default';
}
