// Keeps the node's object telling which interfaces of its own the node has: host endpoints are made of it.
import type { Datastore } from '../datastore/index.ts';
import { cidrContains, parseAddress, parseCidr } from '../net/index.ts';
import { type Logger, WorkQueue } from '../process/index.ts';
import { type NodeInterface, nodeAnnotations, nodeInterfaces, nodes } from '../resources/index.ts';
import { neverUnderlay } from './detect-address.ts';

const announcement = 'interfaces';
const linkLocal = parseCidr('fe80::/10');

export class AnnouncedInterfaces {
  readonly #present = new Map<string, readonly string[]>();
  readonly #queue: WorkQueue;

  constructor(datastore: Datastore, node: string, log: Logger) {
    this.#queue = new WorkQueue({
      work: () => write(datastore, node, this.#list()),
      onFailure: (_key, error) =>
        log.warn({ error }, 'Cannot tell the cluster of the interfaces of this node; trying again'),
    });
  }

  /**
   * Undefined when the interface is gone. Links of pods and of other programs, and such without an address, are not told of;
   * nor are link-local addresses, which identify nobody.
   */
  set(name: string, addresses: readonly string[] | undefined): void {
    if (neverUnderlay.test(name)) return;
    const own = (addresses ?? []).filter((address) => !cidrContains(linkLocal, parseAddress(address)));
    if (own.length > 0) this.#present.set(name, own);
    else if (!this.#present.delete(name)) return;
    this.#queue.add(announcement);
  }

  stop(): void {
    // Not waited for: what is being written ends with the datastore's connection, and the next start says it again.
    void this.#queue.stop();
  }

  #list(): NodeInterface[] {
    return [...this.#present].map(([name, addresses]) => ({ name, addresses })).toSorted(byName);
  }
}

/** Every start comes by here: what is said already is not written again. */
async function write(datastore: Datastore, node: string, interfaces: NodeInterface[]): Promise<void> {
  const text = JSON.stringify(interfaces);
  if (JSON.stringify(nodeInterfaces(await datastore.get(nodes, { name: node }))) === text) return;
  const annotations = { [nodeAnnotations.interfaces]: text };
  await datastore.mergePatch(nodes, { name: node }, { metadata: { annotations } }, { subresource: 'status' });
}

function byName(one: NodeInterface, other: NodeInterface): number {
  return one.name < other.name ? -1 : 1;
}
