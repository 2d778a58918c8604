// Assigns whichever addresses the pools have for a request. Requests of one client run side by side and meet in the block
// writer; only the search for another block is one at a time per owner and family, lest each claim a block of its own.
import type { Address, Family } from '../net/index.ts';
import { KeyedLock } from '../process/index.ts';
import type { IPPool } from '../resources/index.ts';
import type { Labels } from '../selector/index.ts';
import { type AddressOwner, assign } from './block.ts';
import { NoPoolError, PoolExhaustedError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import { affinityOf, type BlockOwner, loadBalancers, nodeOwner } from './owner.ts';
import { type PoolUse, selectPools } from './pools.ts';
import type { Reservations } from './reservations.ts';
import { restOf } from './rest.ts';
import type { BlockRules, Room, RoomFinder, RoomRequest } from './room.ts';
import type { IpamSources } from './sources.ts';

export interface AutoAssignRequest extends AddressOwner {
  readonly node: string;
  /** How many addresses of each family; a family that is absent gets none. */
  readonly count: { readonly [family in Family]?: number };
  /** Addresses for load balancers come from blocks that no node owns; `node` then only says who asks. */
  readonly use: PoolUse;
  /** Names or CIDRs of the only pools to draw from; they then serve whatever their selectors say. */
  readonly pools?: { readonly [family in Family]?: readonly string[] };
  /** Labels of the pod's namespace; absent for what has no namespace. */
  readonly namespaceLabels?: Labels;
  /** How many blocks the node may have for this; what the cluster's configuration says, when that is less or this is absent. */
  readonly maxBlocksPerHost?: number;
}

/** A request as of one moment: the pools that serve it now, and the rules that hold now. */
interface Terms extends RoomRequest {
  readonly pools: readonly IPPool[];
  readonly reservations: Reservations;
  readonly rules: BlockRules;
}

type Found = readonly [Room, Terms];

/** So often may others be faster before that is taken for something else than a race. */
const maxMisses = 100;

export class AutoAssigner {
  readonly #finder: RoomFinder;
  readonly #ledger: Ledger;
  /** May lag behind; enough for taking addresses from blocks at hand. */
  readonly #view: IpamSources;
  /** The store itself; asked before another block is sought, or anything refused. */
  readonly #fresh: IpamSources;
  readonly #now: () => Date;
  readonly #search = new KeyedLock();

  constructor(options: {
    readonly finder: RoomFinder;
    readonly ledger: Ledger;
    readonly view: IpamSources;
    readonly fresh: IpamSources;
    readonly now: () => Date;
  }) {
    this.#finder = options.finder;
    this.#ledger = options.ledger;
    this.#view = options.view;
    this.#fresh = options.fresh;
    this.#now = options.now;
  }

  /**
   * Adds to `assigned` as it goes, so that the caller can undo what was done before a failure.
   * @throws NoPoolError, PoolExhaustedError, and the datastore's errors
   */
  async assign(
    family: Family,
    count: number,
    request: AutoAssignRequest,
    assigned: Address[],
  ): Promise<void> {
    let missing = count;
    for (let misses = 0; missing > 0; misses++) {
      const [room, terms] = await this.#room(family, missing, request);
      const taken = await this.#take(room, terms, request);
      assigned.push(...taken);
      missing -= taken.length;
      if (taken.length > 0) misses = 0;
      else if (misses === maxMisses) {
        throw new PoolExhaustedError(
          `${sentence(family, missing, request)}: others were faster ${maxMisses} times`,
        );
      }
    }
  }

  async #room(family: Family, count: number, request: AutoAssignRequest): Promise<Found> {
    const atHand = await this.#roomAtHand(family, count, request);
    if (atHand) return atHand;
    return this.#search.run(`${affinityOf(ownerFor(request))}/${family}`, async () => {
      // Whoever searched before may have found enough for both.
      const found = await this.#roomAtHand(family, count, request);
      if (found) return found;
      const terms = await this.#terms(this.#fresh, family, count, request);
      const room = await this.#finder.find(terms, terms.rules);
      if (room) return [room, terms];
      const names = terms.pools.map(({ metadata, spec }) => `"${metadata.name}" (${spec.cidr})`).join(', ');
      const blocks = terms.rules.strictAffinity ? 'no block that it may claim has' : 'no block has';
      throw new PoolExhaustedError(
        `${sentence(family, count, request)}: ${blocks} ${count} free ${plural(count)} in ${names}`,
      );
    });
  }

  async #roomAtHand(family: Family, count: number, request: AutoAssignRequest): Promise<Found | undefined> {
    // Without a view of its own this client asks the store once per request, which the search does.
    if (this.#view === this.#fresh) return undefined;
    try {
      const terms = await this.#terms(this.#view, family, count, request);
      const room = this.#finder.inKnown(terms);
      return room && [room, terms];
    } catch (error) {
      if (error instanceof NoPoolError) return undefined;
      throw error;
    }
  }

  async #terms(
    sources: IpamSources,
    family: Family,
    count: number,
    request: AutoAssignRequest,
  ): Promise<Terms> {
    const [allPools, configuration, reservations, nodeLabels] = await Promise.all([
      sources.pools(),
      sources.configuration(),
      sources.reservations(),
      // What load balancers have is on no node.
      request.use === 'LoadBalancer' ? new Map<string, string>() : sources.nodeLabels(request.node),
    ]);
    const wanted = request.pools?.[family];
    const limits = [configuration?.maxBlocksPerHost, request.maxBlocksPerHost].filter((limit) => limit);
    return {
      owner: ownerFor(request),
      count,
      reservations,
      thaw: restOf(configuration, this.#now).thaw,
      rules: {
        ...configuration,
        maxBlocksPerHost: limits.length > 0 ? Math.min(...limits.map(Number)) : 0,
      },
      pools: selectPools(allPools, {
        family,
        use: request.use,
        nodeLabels,
        ...(request.namespaceLabels && { namespaceLabels: request.namespaceLabels }),
        ...(wanted?.length && { pools: wanted }),
      }),
    };
  }

  async #take({ cidr, count, isOwn }: Room, terms: Terms, request: AutoAssignRequest): Promise<Address[]> {
    const own = affinityOf(terms.owner);
    const taken = await this.#ledger.take(cidr, count, request, terms.thaw, (spec) =>
      isOwn && spec.affinity !== own
        ? { spec, ordinals: [] }
        : assign(spec, count, request, terms.reservations.ofBlock(spec)),
    );
    return taken ?? [];
  }
}

function ownerFor({ use, node }: AutoAssignRequest): BlockOwner {
  return use === 'LoadBalancer' ? loadBalancers : nodeOwner(node);
}

function sentence(family: Family, count: number, { handleId, node }: AutoAssignRequest): string {
  return `Cannot assign ${count} IPv${family} ${plural(count)} to "${handleId}" on node "${node}"`;
}

function plural(count: number): string {
  return count === 1 ? 'address' : 'addresses';
}
