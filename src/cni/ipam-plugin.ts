// The plugin `calico-ipam` by itself: addresses for another main plugin, which makes its own links. No policy is involved.
import type { Datastore } from '../datastore/index.ts';
import type { IpamClient } from '../ipam/index.ts';
import { CalicoIpam } from './addresses/calico-ipam.ts';
import { handleOf } from './attachment.ts';
import { CniError, cniErrorCodes } from './errors.ts';
import { GarbageRound, staleContainers } from './garbage.ts';
import { passDatastore } from './gates.ts';
import { Newcomers } from './newcomers.ts';
import type { Plugin } from './plugin.ts';
import type { AttachmentRequest, GarbageRequest, StatusRequest } from './request.ts';
import type { Attached } from './result.ts';

export interface IpamPluginOptions {
  /** Name of the node. */
  readonly node: string;
  readonly datastore: Datastore;
  readonly ipam: IpamClient;
}

export class IpamPlugin implements Plugin {
  readonly #options: IpamPluginOptions;
  readonly #addresses: CalicoIpam;
  readonly #newcomers = new Newcomers();

  constructor(options: IpamPluginOptions) {
    this.#options = options;
    this.#addresses = new CalicoIpam(options.ipam, options.node);
  }

  add(request: AttachmentRequest): Promise<Attached> {
    return this.#newcomers.during(request.containerId, () => this.#add(request));
  }

  delete(request: AttachmentRequest): Promise<void> {
    return this.#addresses.release(request);
  }

  check(request: AttachmentRequest): Promise<void> {
    return this.#addresses.check(request);
  }

  async collectGarbage(request: GarbageRequest): Promise<void> {
    const { datastore, ipam, node } = this.#options;
    const round = new GarbageRound();
    await this.#newcomers.noted(async (newcomers) => {
      for (const containerId of await staleContainers(datastore, node, request)) {
        if (newcomers.has(containerId)) continue;
        const handle = handleOf({ network: request.configuration.name, containerId });
        await round.attempt(`container "${containerId}"`, () => ipam.releaseByHandle(handle));
      }
    });
    round.end();
  }

  async status(_request: StatusRequest): Promise<void> {
    await passDatastore(this.#options.datastore).catch((cause: Error) => {
      throw new CniError(cniErrorCodes.notAvailable, cause.message, { cause });
    });
  }

  async #add(request: AttachmentRequest): Promise<Attached> {
    const { ipam } = request.configuration;
    await passDatastore(this.#options.datastore);
    try {
      const addresses = await this.#addresses.assign(request, {
        count: { 4: ipam.assignIPv4 ? 1 : 0, 6: ipam.assignIPv6 ? 1 : 0 },
        pools: { 4: ipam.ipv4Pools, 6: ipam.ipv6Pools },
        addresses: [],
        namespaceLabels: new Map(),
      });
      return { addresses };
    } catch (error) {
      await this.#addresses.release(request);
      throw error;
    }
  }
}
