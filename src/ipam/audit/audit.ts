// Finds what is wrong with the addresses of a cluster: what crashes, removed nodes and other people's tools left behind.
// Pure; it reads a snapshot and repairs nothing.
import { type Address, cidrContains, formatCidr, parseAddress, parseCidr } from '../../net/index.ts';
import type { BlockAffinity } from '../../resources/index.ts';
import { unreadableAround } from '../unreadable-blocks.ts';
import { type Allocation, allocationsOf } from './allocations.ts';
import { Owners } from './owners.ts';
import type { IpamSnapshot } from './snapshot.ts';

/** An assigned address that nobody needs. */
export interface LeakedAddress extends Allocation {
  readonly reason: string;
}

/** A handle that counts other numbers of addresses than blocks assign to it. */
export interface WrongHandle {
  readonly handle: string;
  /** Per block, where they differ: what the handle counts and what the block says. */
  readonly blocks: Readonly<Record<string, { readonly counted: number; readonly assigned: number }>>;
  /** Of the handle as it was seen; empty for one that is missing. */
  readonly resourceVersion: string;
}

/** A claim on a block that somebody began and did not finish. */
export interface HalfClaimedBlock {
  readonly block: string;
  readonly node: string;
  /** Phase of the claim, "confirmed" for one whose block is not there; "missing" for a block whose owner has no claim on it. */
  readonly state: string;
  /** Of the claim as it was seen; absent when it is missing. */
  readonly resourceVersion?: string;
}

/** A block that belongs to a node that does not exist. */
export interface OrphanedBlock {
  readonly block: string;
  readonly node: string;
}

export interface IpamAudit {
  readonly allocations: readonly Allocation[];
  readonly leakedAddresses: readonly LeakedAddress[];
  readonly wrongHandles: readonly WrongHandle[];
  readonly halfClaimedBlocks: readonly HalfClaimedBlock[];
  readonly orphanedBlocks: readonly OrphanedBlock[];
  /** In use within a pool, yet assigned by no block. */
  readonly unassignedAddresses: readonly { readonly address: string; readonly users: readonly string[] }[];
  /** In use by several. */
  readonly sharedAddresses: readonly { readonly address: string; readonly users: readonly string[] }[];
  /** Blocks that lie in no pool. */
  readonly blocksOutsidePools: readonly string[];
  /** Blocks of which nobody knows what they assign. */
  readonly unreadableBlocks: readonly { readonly name: string; readonly fault: string }[];
}

export function auditIpam(snapshot: IpamSnapshot): IpamAudit {
  const owners = new Owners(snapshot);
  const allocations = snapshot.blocks.flatMap(allocationsOf);
  const pools = snapshot.pools.map(({ spec }) => parseCidr(spec.cidr));
  const assigned = new Set(allocations.map(({ address }) => address));
  const users = [...owners.users].map(([address, names]) => ({ address, users: names }));
  return {
    allocations,
    leakedAddresses: allocations.flatMap((allocation) => {
      const reason = owners.whyLeaked(allocation);
      return reason === undefined ? [] : [{ ...allocation, reason }];
    }),
    wrongHandles: wrongHandles(snapshot, allocations),
    halfClaimedBlocks: halfClaimedBlocks(snapshot, owners),
    orphanedBlocks: orphanedBlocks(snapshot, owners),
    unassignedAddresses: users.filter(
      ({ address }) => !assigned.has(address) && isDrawn(parseAddress(address), snapshot),
    ),
    sharedAddresses: users.filter(({ users }) => users.length > 1),
    blocksOutsidePools: snapshot.blocks
      .map(({ spec }) => spec.cidr)
      .filter((cidr) => {
        const { family, network } = parseCidr(cidr);
        return !pools.some((pool) => cidrContains(pool, { family, value: network }));
      }),
    unreadableBlocks: (snapshot.unreadable?.blocks ?? []).map(({ name, fault }) => ({ name, fault })),
  };
}

/** Whether a pool holds the address; not where a block that cannot be read may assign it. */
function isDrawn(address: Address, { pools, unreadable }: IpamSnapshot): boolean {
  const isWithin = pools.some(({ spec }) => cidrContains(parseCidr(spec.cidr), address));
  return isWithin && !unreadableAround(unreadable?.blocks ?? [], address);
}

/** Tells by their CIDRs blocks that cannot be read from others. */
function isUnreadableIn({ unreadable }: IpamSnapshot): (cidr: string) => boolean {
  const known = new Set(unreadable?.blocks.flatMap(({ ranges }) => ranges.map(formatCidr)));
  return (cidr) => known.has(formatCidr(parseCidr(cidr)));
}

function wrongHandles(snapshot: IpamSnapshot, allocations: readonly Allocation[]): WrongHandle[] {
  const isUnreadable = isUnreadableIn(snapshot);
  const assigned = new Map<string, Map<string, number>>();
  for (const { handle, block } of allocations) {
    if (handle === undefined) continue;
    const counts = assigned.get(handle) ?? new Map<string, number>();
    assigned.set(handle, counts.set(block, (counts.get(block) ?? 0) + 1));
  }
  const wrong: WrongHandle[] = [];
  for (const { spec, metadata } of snapshot.handles) {
    // What a block that cannot be read assigns, nobody knows.
    if (Object.keys(spec.block).some(isUnreadable)) {
      assigned.delete(spec.handleID);
      continue;
    }
    const blocks = differences(spec.block, assigned.get(spec.handleID) ?? new Map());
    // A handle without any block serves nobody, and is as good as one that counts nothing.
    const isIdle = Object.keys(spec.block).length === 0;
    if (isIdle || Object.keys(blocks).length > 0) {
      wrong.push({ handle: spec.handleID, blocks, resourceVersion: metadata.resourceVersion ?? '' });
    }
    assigned.delete(spec.handleID);
  }
  for (const [handle, counts] of assigned) {
    wrong.push({ handle, blocks: differences({}, counts), resourceVersion: '' });
  }
  return wrong;
}

function differences(
  counted: Readonly<Record<string, number>>,
  assigned: ReadonlyMap<string, number>,
): WrongHandle['blocks'] {
  const blocks: Record<string, { counted: number; assigned: number }> = {};
  for (const block of new Set([...Object.keys(counted), ...assigned.keys()])) {
    const counts = { counted: counted[block] ?? 0, assigned: assigned.get(block) ?? 0 };
    if (counts.counted !== counts.assigned) blocks[block] = counts;
  }
  return blocks;
}

function halfClaimedBlocks(snapshot: IpamSnapshot, owners: Owners): HalfClaimedBlock[] {
  const { affinities, blocks } = snapshot;
  const isUnreadable = isUnreadableIn(snapshot);
  const affinityOfBlock = new Map(blocks.map(({ spec }) => [spec.cidr, spec.affinity]));
  const isWhole = ({ spec }: BlockAffinity) =>
    isUnreadable(spec.cidr) ||
    (spec.state === 'confirmed' && !spec.deleted && affinityOfBlock.get(spec.cidr) === `host:${spec.node}`);
  const unfinished = affinities
    .filter((claim) => !isWhole(claim) && claim.spec.type !== 'virtual' && owners.hasNode(claim.spec.node))
    .map(({ spec: { cidr, node, state }, metadata: { resourceVersion = '' } }) => ({
      block: cidr,
      node,
      state: state === '' ? 'pending' : state,
      resourceVersion,
    }));
  const claimed = new Set(affinities.map(({ spec }) => `${spec.node} ${spec.cidr}`));
  const unclaimed = blocks.flatMap(({ spec }) => {
    const node = nodeOf(spec.affinity);
    if (node === undefined || !owners.hasNode(node) || claimed.has(`${node} ${spec.cidr}`)) return [];
    return [{ block: spec.cidr, node, state: 'missing' }];
  });
  return [...unfinished, ...unclaimed];
}

function orphanedBlocks(snapshot: IpamSnapshot, owners: Owners): OrphanedBlock[] {
  const { affinities, blocks } = snapshot;
  const isUnreadable = isUnreadableIn(snapshot);
  const found = new Map<string, OrphanedBlock>();
  const add = (node: string | undefined, block: string): void => {
    if (node !== undefined && !owners.hasNode(node)) found.set(`${node} ${block}`, { block, node });
  };
  for (const { spec } of affinities) {
    if (!isUnreadable(spec.cidr) && spec.type !== 'virtual') add(spec.node, spec.cidr);
  }
  for (const { spec } of blocks) add(nodeOf(spec.affinity), spec.cidr);
  return [...found.values()];
}

/** Undefined for blocks that are nobody's, or of a virtual owner. */
function nodeOf(affinity: string | undefined): string | undefined {
  return affinity?.startsWith('host:') ? affinity.slice('host:'.length) : undefined;
}
