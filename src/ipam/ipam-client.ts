// Assigns and releases addresses: Calico's IPAM over any datastore. Each write compares the revision that it was decided on, so
// any number of clients may work at once, and what a client remembers of blocks only saves it reads.
import { type Datastore, MisfitError } from '../datastore/index.ts';
import {
  type Address,
  type Cidr,
  cidrContains,
  cidrOf,
  cidrsOverlap,
  formatAddress,
  formatCidr,
  parseCidr,
} from '../net/index.ts';
import { blockSizeOf, type IPAMBlock } from '../resources/index.ts';
import { AutoAssigner, type AutoAssignRequest } from './auto-assign.ts';
import { type AddressOwner, addressOf, assignOrdinal, holderOf, isCooling, ordinalsOf } from './block.ts';
import { BlockWriter } from './block-writer.ts';
import { Blocks } from './blocks.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { AddressInUseError, NoPoolError } from './errors.ts';
import { Handles } from './handles.ts';
import { Ledger } from './ledger.ts';
import { orUnreadable } from './or-unreadable.ts';
import { affinityOf, type BlockOwner, loadBalancers, nodeOwner } from './owner.ts';
import { type PoolUse, poolAround } from './pools.ts';
import { type Rest, restOf } from './rest.ts';
import { RoomFinder } from './room.ts';
import { type IpamSources, sourcesFrom } from './sources.ts';
import { unreadableWithin } from './unreadable-blocks.ts';

export interface AssignAddressRequest extends AddressOwner {
  readonly node: string;
  readonly address: Address;
  /** As in AutoAssignRequest; when absent, the pool may be for anything. */
  readonly use?: PoolUse;
}

/** What a handle holds. */
export interface Holdings {
  readonly addresses: Address[];
  /** Blocks in which it holds addresses besides; which, nobody knows, for they cannot be read. */
  readonly unreadable: Cidr[];
}

export interface IpamOptions {
  /** Pools, rules and labels as they are known without asking; the store is asked for everything when absent. */
  readonly view?: IpamSources;
  readonly now?: () => Date;
  /** Told of what stays undone though the call succeeds, in a sentence. */
  readonly report?: (sentence: string) => void;
}

export class IpamClient {
  readonly #blocks: Blocks;
  readonly #writer: BlockWriter;
  readonly #handles: Handles;
  readonly #ledger: Ledger;
  readonly #assigner: AutoAssigner;
  readonly #view: IpamSources;
  readonly #fresh: IpamSources;
  readonly #now: () => Date;
  readonly #report: (sentence: string) => void;

  constructor(datastore: Datastore, { view, now = () => new Date(), report = () => {} }: IpamOptions = {}) {
    this.#now = now;
    this.#report = report;
    this.#blocks = new Blocks(datastore, now);
    this.#writer = new BlockWriter(this.#blocks);
    this.#handles = new Handles(datastore);
    this.#ledger = new Ledger(this.#writer, this.#handles);
    this.#fresh = sourcesFrom(datastore);
    this.#view = view ?? this.#fresh;
    const finder = new RoomFinder(this.#blocks, this.#writer, now);
    this.#assigner = new AutoAssigner({
      finder,
      ledger: this.#ledger,
      view: this.#view,
      fresh: this.#fresh,
      now,
    });
  }

  /**
   * Assigns the addresses that are asked for, IPv4 first: all of them, or none. Calls for the same handle must not overlap
   * with its release.
   * @throws NoPoolError, PoolExhaustedError, and the datastore's errors, after which `releaseByHandle` cleans up
   */
  async autoAssign(request: AutoAssignRequest): Promise<Address[]> {
    const assigned: Address[] = [];
    try {
      for (const family of [4, 6] as const) {
        await this.#assigner.assign(family, request.count[family] ?? 0, request, assigned);
      }
    } catch (error) {
      if (error instanceof Error) await this.#undo(assigned, request, error);
      throw error;
    }
    return assigned;
  }

  /**
   * Assigns this very address, reserved or not; again for the same handle does nothing.
   * @throws AddressInUseError when somebody holds it or it cools down, NoPoolError
   */
  async assignAddress(request: AssignAddressRequest): Promise<void> {
    const { address, handleId } = request;
    const [pools, configuration, rest] = await Promise.all([
      this.#fresh.pools(),
      this.#fresh.configuration(),
      this.#rest(),
    ]);
    const pool = poolAround(pools, address, request.use);
    const cidr = cidrOf(address, blockSizeOf(pool.spec));
    const ordinal = Number(address.value - cidr.network);
    const owner = request.use === 'LoadBalancer' ? loadBalancers : nodeOwner(request.node);
    const block = await this.#blockAt(owner, cidr);
    if (block && holderOf(block.spec, ordinal)?.handle_id === handleId) return;
    this.#writer.promise(cidr, 1);
    const taken = await this.#ledger.take(cidr, 1, request, rest.thaw, (spec) => {
      const isOurs = spec.affinity === affinityOf(owner) || !configuration?.strictAffinity;
      const next = isOurs ? assignOrdinal(spec, ordinal, request) : undefined;
      if (next) return { spec: next, ordinals: [ordinal] };
      const holder = `"${holderOf(spec, ordinal)?.handle_id ?? ''}" holds it`;
      const whyNot = isCooling(spec, ordinal) ? 'it was released a moment ago and cools down' : holder;
      const why = isOurs ? whyNot : 'its block belongs to another node';
      throw new AddressInUseError(`Cannot assign ${formatAddress(address)} to "${handleId}": ${why}`);
    });
    if (taken) return;
    throw new AddressInUseError(
      `Cannot assign ${formatAddress(address)} to "${handleId}": its block vanished, or cannot be read`,
    );
  }

  /** Releases addresses, with a handle only those that it holds. Returns those that were assigned. */
  async releaseAddresses(addresses: readonly Address[], handleId?: string): Promise<Address[]> {
    const rest = await this.#rest();
    const released: Address[] = [];
    for (const { spec } of await this.#blocks.list()) {
      const cidr = parseCidr(spec.cidr);
      const members = addresses.filter((address) => cidrContains(cidr, address));
      if (members.length === 0) continue;
      const wanted = new Set(members.map((address) => Number(address.value - cidr.network)));
      const freed = await this.#ledger.free(cidr, rest, (state) =>
        [...wanted].filter((ordinal) => {
          const holder = holderOf(state, ordinal);
          return holder && (handleId === undefined || holder.handle_id === handleId);
        }),
      );
      released.push(...freed);
    }
    return released;
  }

  /**
   * Releases whatever a handle holds, and what it only counted. Returns the addresses; none for an unknown handle. What is in a
   * block that cannot be read stays assigned and counted, and is reported: it is collected as garbage when the block can be read.
   */
  async releaseByHandle(handleId: string): Promise<Address[]> {
    const released: Address[] = [];
    const unreadable = new Map<string, string>();
    await compareAndSwap(async () => {
      const [handle, rest] = await Promise.all([orUnreadable(this.#handles.find(handleId)), this.#rest()]);
      unreadable.clear();
      if (!handle) return;
      if (handle === 'unreadable') {
        released.push(...(await this.#releaseEverywhere(handleId, rest)));
        return;
      }
      const { handleID, block: counts } = handle.spec;
      for (const [cidr, count] of Object.entries(counts)) {
        const freed = await orUnreadable(
          this.#ledger.freeInBlock(parseCidr(cidr), rest, (spec) => ordinalsOf(spec, handleID)),
        );
        if (freed === 'unreadable') unreadable.set(cidr, `${count} of block ${cidr}`);
        else released.push(...freed.map(({ address }) => address));
      }
      const emptied = Object.keys(counts).filter((cidr) => !unreadable.has(cidr));
      if (emptied.length > 0 || unreadable.size === 0) await this.#handles.forget(handle, emptied);
    });
    if (unreadable.size > 0) {
      this.#report(
        `Cannot release all that "${handleId}" holds: ${[...unreadable.values()].join(', ')} cannot be read; ` +
          'that stays assigned, and is collected when it can be read',
      );
    }
    return released;
  }

  /** What a handle holds; none for an unknown handle. @throws MisfitError when that cannot be told for want of a sound block */
  async addressesByHandle(handleId: string): Promise<Address[]> {
    const { addresses, unreadable } = await this.holdingsOf(handleId);
    if (unreadable.length === 0) return addresses;
    const blocks = unreadable.map(formatCidr).join(' and ');
    throw new MisfitError(`Cannot tell what "${handleId}" holds: block ${blocks} cannot be read`);
  }

  /** As `addressesByHandle`, for those who can do with less than all. */
  async holdingsOf(handleId: string): Promise<Holdings> {
    const addresses: Address[] = [];
    const unreadable: Cidr[] = [];
    const add = ({ spec }: IPAMBlock, id: string) => {
      for (const ordinal of ordinalsOf(spec, id)) addresses.push(addressOf(spec, ordinal));
    };
    const handle = await orUnreadable(this.#handles.find(handleId));
    if (handle === 'unreadable') {
      for (const block of await this.#blocks.list()) add(block, handleId);
      return { addresses, unreadable };
    }
    for (const text of Object.keys(handle?.spec.block ?? {})) {
      const cidr = parseCidr(text);
      const block = await orUnreadable(this.#blocks.find(cidr));
      if (block === 'unreadable') unreadable.push(cidr);
      else if (block) add(block, handle?.spec.handleID ?? handleId);
    }
    return { addresses, unreadable };
  }

  /** Gives up one of a node's blocks. @throws BlockNotEmptyError */
  releaseAffinity(node: string, cidr: Cidr, options: { readonly mustBeEmpty: boolean }): Promise<void> {
    return this.releaseBlock(nodeOwner(node), cidr, options);
  }

  /** As `releaseAffinity`, for any owner. */
  async releaseBlock(
    owner: BlockOwner,
    cidr: Cidr,
    options: { readonly mustBeEmpty: boolean },
  ): Promise<void> {
    const { thaw } = await this.#rest();
    await this.#blocks.release(owner, cidr, { ...options, thaw });
  }

  /** The blocks that an owner has claimed, but for those that cannot be read. */
  async blocksOf(owner: BlockOwner): Promise<IPAMBlock[]> {
    const blocks: IPAMBlock[] = [];
    for (const { spec } of await this.#blocks.affinitiesOf(owner)) {
      const block = await orUnreadable(this.#blocks.find(parseCidr(spec.cidr)));
      if (block === 'unreadable') continue;
      if (block?.spec.affinity === affinityOf(owner)) blocks.push(block);
    }
    return blocks;
  }

  /** Gives up all of a node's blocks. @throws BlockNotEmptyError at the first that should be empty and is not */
  async releaseHostAffinities(node: string, options: { readonly mustBeEmpty: boolean }): Promise<void> {
    for (const { spec } of await this.#blocks.affinitiesOf(nodeOwner(node))) {
      await this.releaseAffinity(node, parseCidr(spec.cidr), options);
    }
  }

  /** Without a handle that says where: in every block. The handle stays as it is, for people to look at. */
  async #releaseEverywhere(handleId: string, rest: Rest): Promise<Address[]> {
    const released: Address[] = [];
    for (const { spec } of await this.#blocks.list()) {
      if (ordinalsOf(spec, handleId).length === 0) continue;
      const freed = await orUnreadable(
        this.#ledger.freeInBlock(parseCidr(spec.cidr), rest, (state) => ordinalsOf(state, handleId)),
      );
      if (freed !== 'unreadable') released.push(...freed.map(({ address }) => address));
    }
    return released;
  }

  async #rest(): Promise<Rest> {
    return restOf(await this.#view.configuration(), this.#now);
  }

  /**
   * The block at that place, claimed if there was none.
   * @throws NoPoolError when a block of another size is in its way, or one that cannot be read
   */
  async #blockAt(owner: BlockOwner, cidr: Cidr) {
    const existing = await this.#blocks.find(cidr);
    if (existing) return existing;
    const { blocks, unreadable } = await this.#blocks.survey();
    const hidden = unreadableWithin(unreadable, cidr);
    if (hidden) {
      throw new NoPoolError(
        `Cannot claim block ${formatCidr(cidr)}: IPAMBlock "${hidden.name}" stands there and cannot be read`,
      );
    }
    const inTheWay = blocks.find(({ spec }) => cidrsOverlap(parseCidr(spec.cidr), cidr));
    if (inTheWay && inTheWay.spec.cidr !== formatCidr(cidr)) {
      throw new NoPoolError(
        `Cannot claim block ${formatCidr(cidr)}: block ${inTheWay.spec.cidr}, of another size, still stands there`,
      );
    }
    return this.#blocks.claim(owner, cidr);
  }

  /** Gives back what was assigned before a failure. A second failure is told along with the first. */
  async #undo(assigned: readonly Address[], request: AutoAssignRequest, cause: Error): Promise<void> {
    if (assigned.length === 0) return;
    try {
      await this.releaseAddresses(assigned, request.handleId);
    } catch (error) {
      throw new AggregateError([cause, error], `${cause.message}; nor could what was assigned be released`);
    }
  }
}
