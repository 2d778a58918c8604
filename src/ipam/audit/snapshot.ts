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
  type Node,
  nodes,
  type Pod,
  pods,
} from '../../resources/index.ts';

export interface IpamSnapshot {
  readonly pools: readonly IPPool[];
  readonly blocks: readonly IPAMBlock[];
  readonly affinities: readonly BlockAffinity[];
  readonly handles: readonly IPAMHandle[];
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
}

/**
 * Addresses first and their owners last: what is assigned while we read belongs to an owner that we then see. An owner that
 * goes meanwhile may leave an address that looks leaked, and soon is free.
 */
export async function readSnapshot(datastore: Datastore): Promise<IpamSnapshot> {
  const [pools, blocks, affinities] = await Promise.all([
    datastore.list(ipPools),
    datastore.list(ipamBlocks),
    datastore.list(blockAffinities),
  ]);
  const handles = await datastore.list(ipamHandles);
  const [allNodes, allPods] = await Promise.all([datastore.list(nodes), datastore.list(pods)]);
  return { pools, blocks, affinities, handles, nodes: allNodes, pods: allPods };
}
