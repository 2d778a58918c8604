// Says of every IP pool whether it may give addresses, and keeps a deleted pool until nobody has an address of it any more.
import { ifUnchanged } from '../../datastore/index.ts';
import {
  allocationsOf,
  BlockNotEmptyError,
  IpamClient,
  judgePools,
  ownerOf,
  type PoolVerdict,
  type UnreadableBlock,
  unreadableBlock,
} from '../../ipam/index.ts';
import { type Cidr, cidrContains, parseCidr } from '../../net/index.ts';
import { WorkQueue } from '../../process/index.ts';
import { type IPAMBlock, type IPPool, ipamBlocks, ipPools } from '../../resources/index.ts';
import { withCondition } from '../conditions.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { setFinalizer } from '../finalizers.ts';
import { ObjectCache } from '../object-cache.ts';
import { settleEach } from '../settle-each.ts';

const finalizer = 'projectcalico.org/ippool-finalizer';
/** All pools are judged together, so they are one piece of work. */
const everything = 'pools';
const cooldownLookMs = 30_000;

export class PoolController implements Controller {
  readonly name = 'ippool';
  readonly #context: ControllerContext;
  readonly #ipam: IpamClient;
  readonly #pools: ObjectCache<IPPool>;
  readonly #blocks: ObjectCache<IPAMBlock>;
  readonly #queue: WorkQueue;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(context: ControllerContext) {
    const { datastore, log, reconcilerPeriodMs } = context;
    this.#context = context;
    this.#ipam = new IpamClient(datastore);
    this.#queue = new WorkQueue({
      work: () => this.#reconcile(),
      onFailure: (_key, error) => log.warn({ error }, 'Cannot bring the IP pools in order; trying again'),
    });
    this.#pools = new ObjectCache(datastore, ipPools, () => this.#queue.add(everything));
    this.#blocks = new ObjectCache(datastore, ipamBlocks, () => {
      // Only a pool that waits for its last address is interested in blocks.
      if (this.#pools.list().some(({ metadata }) => metadata.deletionTimestamp)) this.#queue.add(everything);
    });
    if (reconcilerPeriodMs > 0) {
      this.#timer = setInterval(() => this.#queue.add(everything), reconcilerPeriodMs).unref();
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#pools.stop();
    this.#blocks.stop();
    await this.#queue.stop();
  }

  async #reconcile(): Promise<void> {
    await Promise.all([this.#pools.inSync, this.#blocks.inSync]);
    const pools = this.#pools.list();
    const verdicts = judgePools(pools);
    await settleEach(pools, async (pool) => {
      const verdict = verdicts.get(pool.metadata.name);
      if (verdict) await ifUnchanged(() => this.#settle(pool, verdict, pools));
    });
  }

  async #settle(seen: IPPool, verdict: PoolVerdict, pools: readonly IPPool[]): Promise<void> {
    const { datastore, log } = this.#context;
    const isDeleted = seen.metadata.deletionTimestamp !== undefined;
    const unreadable = isDeleted ? this.#unreadableOf(seen, pools) : [];
    const pool = await this.#report(seen, verdict, unreadable);
    if (!isDeleted) {
      await setFinalizer(datastore, ipPools, pool, finalizer, true);
    } else if ((await this.#isVacated(pool, pools)) && unreadable.length === 0) {
      await setFinalizer(datastore, ipPools, pool, finalizer, false);
      log.info({ pool: pool.metadata.name }, 'The deleted pool has no address in use any more, and goes');
    } else {
      // Blocks that change are told of; that addresses have cooled down is not.
      this.#queue.addAfter(everything, cooldownLookMs);
    }
  }

  /** Returns the pool as it is stored then. */
  async #report(
    pool: IPPool,
    { isAllocatable, reason, message }: PoolVerdict,
    unreadable: readonly UnreadableBlock[],
  ): Promise<IPPool> {
    const status = isAllocatable ? ('True' as const) : ('False' as const);
    const kept = unreadable.length === 0 ? '' : `; ${whyKept(unreadable)}`;
    const condition = { type: 'Allocatable', status, reason, message: `${message}${kept}` };
    const conditions = withCondition(pool.status?.conditions, condition, new Date());
    if (!conditions) return pool;
    const { name } = pool.metadata;
    if (kept) this.#context.log.warn(`Cannot let the deleted IPPool "${name}" go${kept}`);
    const patch = { status: { conditions } };
    return this.#context.datastore.mergePatch(ipPools, { name }, patch, { subresource: 'status' });
  }

  /**
   * Gives up empty blocks of the pool. Returns whether no address is left that has no other pool: what was split into
   * smaller pools lives on in these.
   */
  async #isVacated(pool: IPPool, pools: readonly IPPool[]): Promise<boolean> {
    const isOwn = blocksLeftTo(pool, pools);
    const own = this.#blocks.list().filter(({ spec }) => isOwn(parseCidr(spec.cidr)));
    for (const block of own) {
      if (allocationsOf(block).length > 0) continue;
      const owner = ownerOf(block.spec.affinity);
      try {
        if (owner) await this.#ipam.releaseBlock(owner, parseCidr(block.spec.cidr), { mustBeEmpty: true });
      } catch (error) {
        if (!(error instanceof BlockNotEmptyError)) throw error;
      }
    }
    return own.length === 0 && !(await this.#isStored(isOwn));
  }

  /** Asks the store itself: a block may be there whose watch has not told of it yet. */
  async #isStored(isOwn: (block: Cidr) => boolean): Promise<boolean> {
    const blocks = await this.#context.datastore.list(ipamBlocks);
    return blocks.some(({ spec }) => isOwn(parseCidr(spec.cidr)));
  }

  /** Blocks that may hold addresses of the pool that have no other, for all that anybody knows. */
  #unreadableOf(pool: IPPool, pools: readonly IPPool[]): UnreadableBlock[] {
    const isOwn = blocksLeftTo(pool, pools);
    return [...this.#blocks.unreadable.values()]
      .map(({ object, fault }) => unreadableBlock(object, fault))
      .filter(({ ranges }) => ranges.some(isOwn));
  }
}

/** Tells blocks that lie in a deleted pool, and in none that stays. */
function blocksLeftTo(pool: IPPool, pools: readonly IPPool[]): (block: Cidr) => boolean {
  const range = parseCidr(pool.spec.cidr);
  const heirs = pools
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ spec }) => parseCidr(spec.cidr));
  return ({ family, network }) => {
    const start = { family, value: network };
    return cidrContains(range, start) && !heirs.some((heir) => cidrContains(heir, start));
  };
}

function whyKept(unreadable: readonly UnreadableBlock[]): string {
  const names = unreadable
    .slice(0, 3)
    .map(({ name, fault }) => `"${name}" (${fault})`)
    .join(', ');
  const more = unreadable.length > 3 ? ` and ${unreadable.length - 3} more` : '';
  return `IPAMBlock ${names}${more} cannot be read and may hold some of them: repair or delete it`;
}
