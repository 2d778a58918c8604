// Assigns and releases addresses: Calico's IPAM over any datastore. Nothing is kept in memory between calls, so any number of
// clients may work at once; each write compares the revision that it was decided on. Handles are written before blocks when
// assigning and after them when releasing: a crash in between leaves a handle that counts too many, never an address twice.
import type { Datastore } from '../datastore/index.ts';
import {
  type Address,
  type Cidr,
  cidrOf,
  type Family,
  formatAddress,
  formatCidr,
  parseCidr,
} from '../net/index.ts';
import { blockSizeOf } from '../resources/index.ts';
import type { Labels } from '../selector/index.ts';
import {
  type AddressOwner,
  addressOf,
  assign,
  assignOrdinal,
  type BlockSpec,
  holderOf,
  ordinalsOf,
  release,
} from './block.ts';
import { Blocks } from './blocks.ts';
import { type Candidate, candidateBlocks } from './candidates.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { AddressInUseError, PoolExhaustedError } from './errors.ts';
import { Handles } from './handles.ts';
import { KeyedLock } from './keyed-lock.ts';
import { hostAffinity } from './names.ts';
import { type PoolUse, poolAround, selectPools } from './pools.ts';
import { type IpamSources, sourcesFrom } from './sources.ts';

export interface AutoAssignRequest extends AddressOwner {
  readonly node: string;
  /** How many addresses of each family; a family that is absent gets none. */
  readonly count: { readonly [family in Family]?: number };
  readonly use: PoolUse;
  /** Names or CIDRs of the only pools to draw from; they then serve whatever their selectors say. */
  readonly pools?: { readonly [family in Family]?: readonly string[] };
  /** Labels of the pod's namespace; absent for what has no namespace. */
  readonly namespaceLabels?: Labels;
}

export interface AssignAddressRequest extends AddressOwner {
  readonly node: string;
  readonly address: Address;
}

export class IpamClient {
  readonly #blocks: Blocks;
  readonly #handles: Handles;
  readonly #sources: IpamSources;
  /** One assignment per node and family at a time: concurrent ones would only conflict, or claim a block each. */
  readonly #lock = new KeyedLock();

  constructor(datastore: Datastore, sources: Partial<IpamSources> = {}) {
    this.#blocks = new Blocks(datastore);
    this.#handles = new Handles(datastore);
    this.#sources = { ...sourcesFrom(datastore), ...sources };
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
        const count = request.count[family] ?? 0;
        if (count === 0) continue;
        await this.#lock.run(`${request.node}/${family}`, () =>
          this.#assignFamily(family, count, request, assigned),
        );
      }
    } catch (error) {
      if (error instanceof Error) await this.#undo(assigned, request, error);
      throw error;
    }
    return assigned;
  }

  /**
   * Assigns this very address; again for the same handle does nothing.
   * @throws AddressInUseError, NoPoolError
   */
  async assignAddress(request: AssignAddressRequest): Promise<void> {
    const { address, node, handleId } = request;
    const pool = poolAround(await this.#sources.pools(), address);
    const cidr = cidrOf(address, blockSizeOf(pool.spec));
    const ordinal = Number(address.value - cidr.network);
    if (!(await this.#blocks.find(cidr))) await this.#blocks.claim(node, cidr);
    const { strictAffinity } = (await this.#sources.configuration()) ?? {};
    const taken = await this.#take(cidr, request, (spec) => {
      const holder = holderOf(spec, ordinal);
      if (holder?.handle_id === handleId) return { spec, ordinals: [] };
      const isOurs = spec.affinity === hostAffinity(node) || !strictAffinity;
      const next = isOurs ? assignOrdinal(spec, ordinal, request) : undefined;
      if (next) return { spec: next, ordinals: [ordinal] };
      const why = isOurs ? `"${holder?.handle_id ?? ''}" holds it` : 'its block belongs to another node';
      throw new AddressInUseError(`Cannot assign ${formatAddress(address)} to "${handleId}": ${why}`);
    });
    if (!taken) {
      throw new AddressInUseError(
        `Cannot assign ${formatAddress(address)} to "${handleId}": its block vanished`,
      );
    }
  }

  /** Releases addresses, with a handle only those that it holds. Returns those that were assigned. */
  async releaseAddresses(addresses: readonly Address[], handleId?: string): Promise<Address[]> {
    const released: Address[] = [];
    for (const [cidr, members] of await this.#byBlock(addresses)) {
      const wanted = new Set(members.map((address) => Number(address.value - cidr.network)));
      const freed = await this.#free(cidr, (spec) =>
        [...wanted].filter((ordinal) => {
          const holder = holderOf(spec, ordinal);
          return holder && (handleId === undefined || holder.handle_id === handleId);
        }),
      );
      for (const { address } of freed) released.push(address);
      for (const owner of new Set(freed.map((entry) => entry.handleId))) {
        if (owner === undefined) continue;
        const count = freed.filter((entry) => entry.handleId === owner).length;
        await this.#handles.decrement(owner, formatCidr(cidr), count);
      }
    }
    return released;
  }

  /** Releases whatever a handle holds, and what it only counted. Returns the addresses; none for an unknown handle. */
  async releaseByHandle(handleId: string): Promise<Address[]> {
    const released: Address[] = [];
    await compareAndSwap(async () => {
      const handle = await this.#handles.find(handleId);
      if (!handle) return;
      const cidrs = Object.keys(handle.spec.block);
      for (const cidr of cidrs) {
        const freed = await this.#free(parseCidr(cidr), (spec) => ordinalsOf(spec, handle.spec.handleID));
        for (const { address } of freed) released.push(address);
      }
      await this.#handles.forget(handle, cidrs);
    });
    return released;
  }

  /** What a handle holds; none for an unknown handle. */
  async addressesByHandle(handleId: string): Promise<Address[]> {
    const handle = await this.#handles.find(handleId);
    const addresses: Address[] = [];
    for (const cidr of Object.keys(handle?.spec.block ?? {})) {
      const block = await this.#blocks.find(parseCidr(cidr));
      if (!block) continue;
      for (const ordinal of ordinalsOf(block.spec, handle?.spec.handleID ?? handleId)) {
        addresses.push(addressOf(block.spec, ordinal));
      }
    }
    return addresses;
  }

  /** Gives up one of a node's blocks. @throws BlockNotEmptyError */
  releaseAffinity(node: string, cidr: Cidr, options: { readonly mustBeEmpty: boolean }): Promise<void> {
    return this.#blocks.release(node, cidr, options);
  }

  /** Gives up all of a node's blocks. @throws BlockNotEmptyError at the first that should be empty and is not */
  async releaseHostAffinities(node: string, options: { readonly mustBeEmpty: boolean }): Promise<void> {
    for (const { spec } of await this.#blocks.affinitiesOf(node)) {
      await this.#blocks.release(node, parseCidr(spec.cidr), options);
    }
  }

  /** Adds to `assigned` as it goes, so that the caller can undo what was done before a failure. */
  async #assignFamily(
    family: Family,
    count: number,
    request: AutoAssignRequest,
    assigned: Address[],
  ): Promise<void> {
    const [allPools, configuration, nodeLabels] = await Promise.all([
      this.#sources.pools(),
      this.#sources.configuration(),
      this.#sources.nodeLabels(request.node),
    ]);
    const wantedPools = request.pools?.[family];
    const pools = selectPools(allPools, {
      family,
      use: request.use,
      nodeLabels,
      ...(request.namespaceLabels && { namespaceLabels: request.namespaceLabels }),
      ...(wantedPools?.length && { pools: wantedPools }),
    });
    let missing = count;
    for await (const candidate of candidateBlocks(this.#blocks, request.node, pools, configuration ?? {})) {
      const taken = await this.#takeFrom(candidate, missing, request);
      assigned.push(...taken);
      missing -= taken.length;
      if (missing === 0) return;
    }
    const names = pools.map(({ metadata, spec }) => `"${metadata.name}" (${spec.cidr})`).join(', ');
    const limits = configuration?.strictAffinity ? 'no block that it may claim has' : 'no block has';
    throw new PoolExhaustedError(
      `Cannot assign ${count} IPv${family} addresses to "${request.handleId}" on node "${request.node}": ` +
        `${limits} ${missing} free addresses in ${names}`,
    );
  }

  async #takeFrom(candidate: Candidate, count: number, request: AutoAssignRequest): Promise<Address[]> {
    const own = hostAffinity(request.node);
    const taken = await this.#take(candidate.cidr, request, (spec) =>
      candidate.isOwn && spec.affinity !== own ? { spec, ordinals: [] } : assign(spec, count, request),
    );
    return taken ?? [];
  }

  /** Takes what `choose` says from a block, the handle first. Returns undefined when there is no such block. */
  async #take(
    cidr: Cidr,
    owner: AddressOwner,
    choose: (spec: BlockSpec) => { spec: BlockSpec; ordinals: number[] },
  ): Promise<Address[] | undefined> {
    // Attempts that lose a race have counted already; the next one counts only what it needs more.
    let counted = 0;
    const discount = async (excess: number) => {
      if (excess > 0) await this.#handles.decrement(owner.handleId, formatCidr(cidr), excess);
    };
    const taken = await compareAndSwap(async () => {
      const block = await this.#blocks.find(cidr);
      if (!block) return undefined;
      const { spec, ordinals } = choose(block.spec);
      if (ordinals.length === 0) return [];
      if (ordinals.length > counted) {
        await this.#handles.increment(owner.handleId, formatCidr(cidr), ordinals.length - counted);
        counted = ordinals.length;
      }
      await this.#blocks.save(block, spec);
      return ordinals.map((ordinal) => addressOf(spec, ordinal));
    }).catch(async (error: unknown) => {
      // Here nothing was written to the block for certain; after other errors that is unknown, and the count stays.
      if (error instanceof AddressInUseError) await discount(counted);
      throw error;
    });
    await discount(counted - (taken?.length ?? 0));
    return taken;
  }

  /** Frees what `choose` says in a block; handles are the caller's to write, afterwards. */
  #free(
    cidr: Cidr,
    choose: (spec: BlockSpec) => number[],
  ): Promise<{ address: Address; handleId: string | undefined }[]> {
    return compareAndSwap(async () => {
      const block = await this.#blocks.find(cidr);
      const ordinals = block ? choose(block.spec) : [];
      if (!block || ordinals.length === 0) return [];
      await this.#blocks.save(block, release(block.spec, ordinals));
      return ordinals.map((ordinal) => ({
        address: addressOf(block.spec, ordinal),
        handleId: holderOf(block.spec, ordinal)?.handle_id,
      }));
    });
  }

  /** Addresses by the block that they lie in; those of no pool and no block are left out. */
  async #byBlock(addresses: readonly Address[]): Promise<Map<Cidr, Address[]>> {
    const groups = new Map<string, { cidr: Cidr; members: Address[] }>();
    const existing = await this.#blocks.list();
    const lengths = new Set(existing.map(({ spec }) => parseCidr(spec.cidr).length));
    const known = new Set(existing.map(({ spec }) => spec.cidr));
    for (const address of addresses) {
      for (const length of lengths) {
        if (length > (address.family === 4 ? 32 : 128)) continue;
        const cidr = cidrOf(address, length);
        const name = formatCidr(cidr);
        if (!known.has(name)) continue;
        const group = groups.get(name) ?? { cidr, members: [] };
        group.members.push(address);
        groups.set(name, group);
      }
    }
    return new Map([...groups.values()].map(({ cidr, members }) => [cidr, members]));
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
