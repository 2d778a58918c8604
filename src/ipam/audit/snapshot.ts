// Everything that an audit looks at, read once. The parts are not read at one instant: what changes meanwhile may look
// wrong, which is why repairs judge each finding again.
import type { Datastore } from '../../datastore/index.ts';
import {
  type BlockAffinity,
  blockAffinities,
  type IPAMBlock,
  type IPAMHandle,
  type IPPool,
  ipamBlocks,
  ipamHandles,
  ipPools,
  keyOf,
  type Node,
  nodes,
  type Pod,
  pods,
  type Resource,
} from '../../resources/index.ts';
import { type UnreadableBlock, unreadableBlock } from '../unreadable-blocks.ts';

export interface IpamSnapshot {
  readonly pools: readonly IPPool[];
  readonly blocks: readonly IPAMBlock[];
  readonly affinities: readonly BlockAffinity[];
  readonly handles: readonly IPAMHandle[];
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  /** What is there and cannot be read: whatever depends on it is left as it is. */
  readonly unreadable?: {
    readonly blocks: readonly UnreadableBlock[];
    /** Their keys. */
    readonly nodes: ReadonlySet<string>;
    readonly pods: ReadonlySet<string>;
  };
}

/**
 * Addresses first and their owners last: what is assigned while we read belongs to an owner that we then see. An owner that
 * goes meanwhile may leave an address that looks leaked, and soon is free.
 */
export async function readSnapshot(datastore: Datastore): Promise<IpamSnapshot> {
  const unreadable = {
    blocks: [] as UnreadableBlock[],
    nodes: new Set<string>(),
    pods: new Set<string>(),
  };
  const note = (names: Set<string>) => (object: Resource) => names.add(keyOf(object));
  const [pools, blocks, affinities] = await Promise.all([
    datastore.list(ipPools),
    datastore.list(ipamBlocks, {}, (object, fault) => unreadable.blocks.push(unreadableBlock(object, fault))),
    datastore.list(blockAffinities),
  ]);
  const handles = await datastore.list(ipamHandles);
  const [allNodes, allPods] = await Promise.all([
    datastore.list(nodes, {}, note(unreadable.nodes)),
    datastore.list(pods, {}, note(unreadable.pods)),
  ]);
  return { pools, blocks, affinities, handles, nodes: allNodes, pods: allPods, unreadable };
}
