// Handles: per owner, how many addresses it holds in which blocks. A handle may count too many, after a crash between its
// write and the block's, and never too few: whoever releases by handle finds everything. Only a write to the block that was
// taken for lost, and came when its owner had released already, is not counted; the audit finds it.
import {
  AlreadyExistsError,
  ConflictError,
  type Datastore,
  ifThere,
  NotFoundError,
} from '../datastore/index.ts';
import { apiVersionOf, type IPAMHandle, ipamHandles } from '../resources/index.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { handleName, handleNames } from './names.ts';

export class Handles {
  readonly #datastore: Datastore;

  constructor(datastore: Datastore) {
    this.#datastore = datastore;
  }

  /** Undefined when the owner holds nothing. */
  async find(handleId: string): Promise<IPAMHandle | undefined> {
    for (const name of handleNames(handleId)) {
      const handle = await ifThere(this.#datastore.get(ipamHandles, { name }));
      if (handle?.spec.handleID === handleId) return handle;
    }
    return undefined;
  }

  /** Counts addresses before they are assigned. An owner usually is new, so creating comes first. */
  async increment(handleId: string, blockCidr: string, count: number): Promise<void> {
    // One that Calico made would be hidden behind a second.
    if (handleNames(handleId).length > 1 && (await this.find(handleId))) {
      await this.#add(handleId, blockCidr, count);
      return;
    }
    try {
      await this.#create(handleId, { [blockCidr]: count });
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
      await this.#add(handleId, blockCidr, count);
    }
  }

  /** Discounts addresses that were released, or not assigned after all; `least` is what the block still assigns. */
  decrement(handleId: string, blockCidr: string, count: number, least = 0): Promise<void> {
    return compareAndSwap(async () => {
      const handle = await this.find(handleId);
      const held = handle?.spec.block[blockCidr];
      // What came into the block uncounted was not counted here either.
      if (!handle || held === undefined || held <= least) return;
      await this.#write(handle, { [blockCidr]: Math.max(held - count, least) });
    });
  }

  /**
   * Forgets a block entirely, unless the handle has changed since it was read as `seen`: then somebody counted anew.
   * @throws ConflictError in that case
   */
  async forget(seen: IPAMHandle, blockCidrs: readonly string[]): Promise<void> {
    await this.#write(seen, Object.fromEntries(blockCidrs.map((cidr) => [cidr, 0])));
  }

  /** Sets counts, unless the handle has changed since it was read as `seen`. @throws ConflictError in that case */
  recount(seen: IPAMHandle, counts: Readonly<Record<string, number>>): Promise<void> {
    return this.#write(seen, counts);
  }

  /** A handle for addresses that none counts. Does nothing when they are none. @throws AlreadyExistsError */
  async restore(handleId: string, counts: Readonly<Record<string, number>>): Promise<void> {
    const block = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    if (Object.keys(block).length > 0) await this.#create(handleId, block);
  }

  async #add(handleId: string, blockCidr: string, count: number): Promise<void> {
    await compareAndSwap(async () => {
      const handle = await this.find(handleId);
      if (handle) {
        await this.#write(handle, { [blockCidr]: (handle.spec.block[blockCidr] ?? 0) + count });
        return;
      }
      try {
        // Gone since: whoever released the last address deleted it.
        await this.#create(handleId, { [blockCidr]: count });
      } catch (error) {
        if (!(error instanceof AlreadyExistsError)) throw error;
        const message = `Handle "${handleName(handleId)}" is not of "${handleId}", or came just now`;
        throw new ConflictError(message, { cause: error });
      }
    });
  }

  async #create(handleId: string, block: Record<string, number>): Promise<void> {
    await this.#datastore.create(ipamHandles, {
      apiVersion: apiVersionOf(ipamHandles),
      kind: ipamHandles.kind,
      metadata: { name: handleName(handleId) },
      spec: { handleID: handleId, block, deleted: false },
    });
  }

  /** A handle that counts nothing is deleted. */
  async #write(handle: IPAMHandle, counts: Readonly<Record<string, number>>): Promise<void> {
    const block = Object.fromEntries(
      Object.entries({ ...handle.spec.block, ...counts }).filter(([, count]) => count > 0),
    );
    if (Object.keys(block).length > 0) {
      // Whoever had begun to delete it has not seen what it counts now.
      const spec = { ...handle.spec, block, deleted: false };
      await this.#datastore.update(ipamHandles, { ...handle, spec });
      return;
    }
    const { resourceVersion } = handle.metadata;
    try {
      await this.#datastore.delete(ipamHandles, handle.metadata, resourceVersion ? { resourceVersion } : {});
    } catch (error) {
      // Deleted by somebody else in between, which is what was wanted.
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
}
