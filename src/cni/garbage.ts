// GC: which of a network's attachments on this node nobody wants any more, those that left a link or an address and are not on
// the runtime's list; and the DELs that take them down.
import { type Datastore, UnavailableError } from '../datastore/index.ts';
import { ipamBlocks } from '../resources/index.ts';
import { handleOf, type OwnedLink, readOwnerNote } from './attachment.ts';
import { CniError, cniErrorCodes } from './errors.ts';
import type { AttachmentRequest, GarbageRequest } from './request.ts';

export interface GarbageSearch {
  readonly datastore: Datastore;
  /** Name of the node. */
  readonly node: string;
  /** The notes of the node's links. */
  readonly owners: () => Iterable<string>;
}

/** One collection: it goes on after a failure, and tells of all of them at its end. */
export class GarbageRound {
  readonly #failures: { readonly about: string; readonly error: unknown }[] = [];

  /** Undefined when it failed. */
  async attempt<T>(about: string, perform: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await perform();
    } catch (error) {
      this.#failures.push({ about, error });
      return undefined;
    }
  }

  /** @throws CniError that names everything that failed */
  end(): void {
    if (this.#failures.length === 0) return;
    const told = this.#failures.map(({ about, error }) => {
      return `${about}: ${error instanceof Error ? error.message : String(error)}`;
    });
    const isPassing = this.#failures.every(({ error }) => passes(error));
    const code = isPassing ? cniErrorCodes.tryAgainLater : cniErrorCodes.failed;
    throw new CniError(code, `Cannot collect all garbage: ${told.join('; ')}`, {
      cause: new AggregateError(this.#failures.map(({ error }) => error)),
    });
  }
}

function passes(error: unknown): boolean {
  return (
    error instanceof UnavailableError ||
    (error instanceof CniError && error.code === cniErrorCodes.tryAgainLater)
  );
}

/** A DEL for each attachment that is on nobody's list, of those that can be found. */
export async function garbageDeletions(
  request: GarbageRequest,
  { datastore, node, owners }: GarbageSearch,
  round: GarbageRound,
): Promise<AttachmentRequest[]> {
  const { configuration } = request;
  const stale = new Map<string, Pick<OwnedLink, 'containerId' | 'interfaceName' | 'pod'>>();
  if (configuration.ipam.type === 'calico-ipam') {
    const containers = await round.attempt('looking for addresses', () =>
      staleContainers(datastore, node, request),
    );
    for (const containerId of containers ?? []) {
      stale.set(containerId, { containerId, interfaceName: '', pod: undefined });
    }
  }
  const notes = await round.attempt('looking for links', owners);
  const owned = [...(notes ?? [])].flatMap((note) => readOwnerNote(note) ?? []);
  for (const link of staleLinks(owned, request)) stale.set(link.containerId, link);
  return [...stale.values()].map((attachment) => deletionOf(attachment, request));
}

function deletionOf(
  { containerId, interfaceName, pod }: Pick<OwnedLink, 'containerId' | 'interfaceName' | 'pod'>,
  { configuration, environment }: GarbageRequest,
): AttachmentRequest {
  return {
    command: 'DEL',
    configuration,
    containerId,
    interfaceName,
    namespacePath: '',
    pod: pod && { ...pod, uid: undefined },
    wantedAddress: undefined,
    environment: {
      ...environment,
      CNI_CONTAINERID: containerId,
      CNI_IFNAME: interfaceName,
      CNI_NETNS: '',
    },
  };
}

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
      // Names of networks may hold dots, and containers' ids hardly ever do: then this is another network's, whose name begins
      // like ours.
      if (containerId.includes('.') && secondary.container !== containerId) continue;
      if (!kept.has(containerId)) found.add(containerId);
    }
  }
  return [...found];
}

/** Links of the network whose attachments are on nobody's list. */
function staleLinks(links: Iterable<OwnedLink>, { configuration, valid }: GarbageRequest): OwnedLink[] {
  const kept = new Set(valid.map(({ containerId, interfaceName }) => `${containerId} ${interfaceName}`));
  return [...links].filter(
    ({ network, containerId, interfaceName }) =>
      network === configuration.name && !kept.has(`${containerId} ${interfaceName}`),
  );
}
