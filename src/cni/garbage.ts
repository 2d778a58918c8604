// Which of a network's attachments on this node nobody wants any more: those that left a link or an address and are not on
// the runtime's list.
import type { Datastore } from '../datastore/index.ts';
import { ipamBlocks } from '../resources/index.ts';
import { handleOf, type OwnedLink } from './attachment.ts';
import type { GarbageRequest } from './request.ts';

/** Containers of the network that hold addresses on the node and are on nobody's list. */
export async function staleContainers(
  datastore: Datastore,
  node: string,
  { configuration, valid }: GarbageRequest,
): Promise<string[]> {
  const prefix = handleOf({ network: configuration.name, containerId: '' });
  const kept = new Set(valid.map(({ containerId }) => containerId));
  const found = new Set<string>();
  for (const { spec } of await datastore.list(ipamBlocks)) {
    for (const attribute of spec.attributes) {
      const { handle_id: handle, secondary } = attribute;
      // Another node's containers are on another runtime's list.
      if (secondary?.node !== node || !handle?.startsWith(prefix)) continue;
      const containerId = handle.slice(prefix.length);
      if (!kept.has(containerId)) found.add(containerId);
    }
  }
  return [...found];
}

/** Links of the network whose attachments are on nobody's list. */
export function staleLinks(
  links: Iterable<OwnedLink>,
  { configuration, valid }: GarbageRequest,
): OwnedLink[] {
  const kept = new Set(valid.map(({ containerId, interfaceName }) => `${containerId} ${interfaceName}`));
  return [...links].filter(
    ({ network, containerId, interfaceName }) =>
      network === configuration.name && !kept.has(`${containerId} ${interfaceName}`),
  );
}
