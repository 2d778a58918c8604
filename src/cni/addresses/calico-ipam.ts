// Addresses from Calico's IPAM, which runs in this very process.
import { AddressInUseError, type IpamClient } from '../../ipam/index.ts';
import { cidrContains, formatAddress, parseAddress, tryParseAddress } from '../../net/index.ts';
import { handleOf } from '../attachment.ts';
import { CniError, cniErrorCodes, invalid } from '../errors.ts';
import type { AttachmentRequest } from '../request.ts';
import { addressesOf } from '../result.ts';
import type { AddressPlugin, AddressWishes } from './address-plugin.ts';

export class CalicoIpam implements AddressPlugin {
  readonly #ipam: IpamClient;
  readonly #node: string;

  constructor(ipam: IpamClient, node: string) {
    this.#ipam = ipam;
    this.#node = node;
  }

  async assign(request: AttachmentRequest, wishes: AddressWishes): Promise<string[]> {
    const wanted = request.wantedAddress ? [request.wantedAddress] : wishes.addresses;
    if (wanted.length > 0) return this.#assignThese(request, wanted);
    // A pod's own wish is for a family at least: it is the configuration that wants none.
    if (wishes.count[4] + wishes.count[6] === 0) {
      throw invalid('"ipam.assign_ipv4" and "ipam.assign_ipv6" are both false; a pod needs an address');
    }
    const addresses = await this.#ipam.autoAssign({
      ...this.#owner(request),
      count: wishes.count,
      use: 'Workload',
      pools: {
        ...(wishes.pools[4].length > 0 && { 4: wishes.pools[4] }),
        ...(wishes.pools[6].length > 0 && { 6: wishes.pools[6] }),
      },
      namespaceLabels: wishes.namespaceLabels,
    });
    return addresses.map(formatAddress);
  }

  async release(request: AttachmentRequest): Promise<void> {
    await this.#ipam.releaseByHandle(this.#owner(request).handleId);
  }

  async check(request: AttachmentRequest): Promise<void> {
    const { configuration, containerId, interfaceName } = request;
    const { addresses, unreadable } = await this.#ipam.holdingsOf(this.#owner(request).handleId);
    if (addresses.length === 0 && unreadable.length === 0) {
      throw new CniError(cniErrorCodes.unknownContainer, `Container "${containerId}" has no address`);
    }
    const held = addresses.map(formatAddress);
    // Nobody can say that the container lost what a block that cannot be read may assign to it.
    const mayHold = (text: string) => {
      const address = tryParseAddress(text);
      return address !== undefined && unreadable.some((block) => cidrContains(block, address));
    };
    const answered = addressesOf(configuration.previousResult ?? {}, interfaceName);
    const lost = answered.filter((address) => !held.includes(address) && !mayHold(address));
    if (lost.length > 0) {
      throw new CniError(
        cniErrorCodes.failed,
        `Container "${containerId}" does not hold ${lost.join(', ')} any more`,
      );
    }
  }

  /** What the node's containers hold is found in the cluster's blocks, and taken down with their links. */
  async collectGarbage(): Promise<void> {}

  /** The datastore is looked after by the plugin that we are part of. */
  async status(): Promise<void> {}

  /** All of them or none: the caller releases the handle after an error. */
  async #assignThese(request: AttachmentRequest, texts: readonly string[]): Promise<string[]> {
    const addresses = texts.map(parseAddress);
    for (const address of addresses) {
      try {
        await this.#ipam.assignAddress({ ...this.#owner(request), address });
      } catch (cause) {
        if (!(cause instanceof AddressInUseError)) throw cause;
        // The one who has it may be on the way out.
        throw new CniError(cniErrorCodes.tryAgainLater, cause.message, { cause });
      }
    }
    return addresses.map(formatAddress);
  }

  #owner({ configuration, containerId, pod }: AttachmentRequest) {
    return {
      node: this.#node,
      handleId: handleOf({ network: configuration.name, containerId }),
      attributes: {
        ...(pod && { namespace: pod.namespace, pod: pod.name }),
        node: this.#node,
        // The handle alone does not say where the network's name ends.
        ...(containerId.includes('.') && { container: containerId }),
        timestamp: new Date().toISOString(),
      },
    };
  }
}
