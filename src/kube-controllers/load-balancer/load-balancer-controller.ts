// Gives Services of type LoadBalancer addresses of the pools that are for them, and takes the addresses back when a Service
// wants them no more. Announcing the addresses to the world is BGP's affair.

import { isDeepStrictEqual } from 'node:util';
import { ifUnchanged } from '../../datastore/index.ts';
import { allocationsOf, IpamClient, loadBalancers } from '../../ipam/index.ts';
import {
  type Address,
  cidrContains,
  type Family,
  formatAddress,
  parseCidr,
  tryParseAddress,
} from '../../net/index.ts';
import { WorkQueue } from '../../process/index.ts';
import { type IPPool, ipPools, keyOf, type Service, services } from '../../resources/index.ts';
import { withCondition } from '../conditions.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { ObjectCache } from '../object-cache.ts';
import { handleIdOf } from './handle-id.ts';
import { type AssignIPs, type WantedAddresses, wantedAddresses } from './wanted-addresses.ts';

/** A key that no Service has. */
const strays = '';
const condition = 'projectcalico.org/AddressAssigned';

export class LoadBalancerController implements Controller {
  readonly name = 'loadbalancer';
  readonly #context: ControllerContext;
  readonly #assignIPs: AssignIPs;
  readonly #ipam: IpamClient;
  readonly #services: ObjectCache<Service>;
  readonly #pools: ObjectCache<IPPool>;
  /** Keys of Services, and `strays`. */
  readonly #queue: WorkQueue;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(context: ControllerContext, assignIPs: AssignIPs) {
    const { datastore, log, reconcilerPeriodMs } = context;
    this.#context = context;
    this.#assignIPs = assignIPs;
    this.#ipam = new IpamClient(datastore, { report: (sentence) => log.warn(sentence) });
    this.#queue = new WorkQueue({
      work: (key) => (key === strays ? this.#releaseStrays() : this.#reconcile(key)),
      onFailure: (key, error) =>
        log.warn({ error, service: key }, 'Cannot settle the addresses of a Service; trying again'),
    });
    this.#services = new ObjectCache(datastore, services, (key, states) => {
      const isOfInterest =
        states.length === 0 ||
        states.some(
          ({ spec, status }) => spec?.type === 'LoadBalancer' || status?.loadBalancer?.ingress?.length,
        );
      if (!isOfInterest) return;
      this.#queue.add(this.#services.get(key) ? key : strays);
    });
    this.#pools = new ObjectCache(datastore, ipPools, () => this.#addAll());
    this.#queue.add(strays);
    if (reconcilerPeriodMs > 0) this.#timer = setInterval(() => this.#addAll(), reconcilerPeriodMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#services.stop();
    this.#pools.stop();
    await this.#queue.stop();
  }

  #addAll(): void {
    for (const service of this.#services.list())
      if (service.spec?.type === 'LoadBalancer') this.#queue.add(keyOf(service));
    this.#queue.add(strays);
  }

  async #reconcile(key: string): Promise<void> {
    await Promise.all([this.#services.inSync, this.#pools.inSync]);
    const service = this.#services.get(key);
    if (!service) return;
    const held = await this.#ipam.addressesByHandle(handleIdOf(service));
    try {
      const wanted = this.#hasPools() ? wantedAddresses(service, this.#assignIPs) : undefined;
      const addresses = wanted
        ? await this.#assign(service, wanted, held)
        : await this.#release(service, held);
      await this.#report(service, addresses, held, undefined);
    } catch (error) {
      const isFault = error instanceof RangeError;
      // A Service that asks for what it cannot have keeps what it had, and hears why.
      await this.#report(service, held, held, error instanceof Error ? error.message : String(error));
      if (!isFault) throw error;
      this.#context.log.warn({ service: key }, `Cannot give Service "${key}" an address: ${error.message}`);
    }
  }

  /** Without a pool for load balancers, Services are left to whoever else looks after them. */
  #hasPools(): boolean {
    return this.#pools.list().some(({ spec }) => spec.allowedUses?.includes('LoadBalancer'));
  }

  async #assign(service: Service, wanted: WantedAddresses, held: readonly Address[]): Promise<Address[]> {
    const kept = wanted.families.flatMap(
      (family) => held.find((one) => this.#serves(one, family, wanted)) ?? [],
    );
    const request = {
      node: loadBalancers.name,
      use: 'LoadBalancer',
      handleId: handleIdOf(service),
      attributes: {
        service: service.metadata.name,
        namespace: service.metadata.namespace ?? 'default',
        type: 'LoadBalancer',
      },
    } as const;
    const has = (list: readonly Address[], family: Family) =>
      list.some((address) => address.family === family);
    const named = wanted.addresses.filter(({ family }) => !has(kept, family));
    for (const address of named) await this.#ipam.assignAddress({ ...request, address });
    const missing = wanted.families.filter((family) => !has(kept, family) && !has(named, family));
    const drawn = await this.#ipam.autoAssign({
      ...request,
      count: Object.fromEntries(missing.map((family) => [family, 1])),
      pools: wanted.pools,
    });
    // Only now: a Service that cannot have what it asks for keeps what it had.
    const spare = held.filter((address) => !kept.includes(address));
    if (spare.length > 0) await this.#ipam.releaseAddresses(spare, request.handleId);
    return [...kept, ...named, ...drawn];
  }

  /** Whether an address that a Service holds is what it wants of that family. */
  #serves(address: Address, family: Family, { addresses, pools }: WantedAddresses): boolean {
    if (address.family !== family) return false;
    const named = addresses.find((candidate) => candidate.family === family);
    if (named) return formatAddress(named) === formatAddress(address);
    const names = pools[family];
    if (!names) return true;
    return this.#pools.list().some(({ metadata, spec }) => {
      const isNamed = names.includes(metadata.name) || names.includes(spec.cidr);
      return isNamed && cidrContains(parseCidr(spec.cidr), address);
    });
  }

  async #release(service: Service, held: readonly Address[]): Promise<Address[]> {
    if (held.length > 0) await this.#ipam.releaseByHandle(handleIdOf(service));
    return [];
  }

  /** Writes what the Service has now, and why it has not what it asks for; leaves alone what others gave it. */
  async #report(
    service: Service,
    addresses: readonly Address[],
    held: readonly Address[],
    fault: string | undefined,
  ): Promise<void> {
    const { status, metadata } = service;
    const ingress = status?.loadBalancer?.ingress ?? [];
    const ours = new Set([...held, ...addresses].map(formatAddress));
    const isOurs = ({ ip }: { ip?: string }) => ip !== undefined && (ours.has(ip) || this.#isOfPools(ip));
    // The API server may add to an entry what nobody said.
    const said = ingress.map(({ ip, hostname }) => hostname ?? ip);
    const isAsItShouldBe =
      addresses.length > 0 ? isDeepStrictEqual(said, addresses.map(formatAddress)) : !ingress.some(isOurs);
    const next =
      addresses.length > 0
        ? addresses.map((address) => ({ ip: formatAddress(address) }))
        : ingress.filter((entry) => !isOurs(entry));
    const isSaid = status?.conditions?.some(({ type }) => type === condition);
    const conditions =
      fault !== undefined || isSaid
        ? withCondition(
            status?.conditions,
            fault === undefined
              ? { type: condition, status: 'True', reason: 'Assigned', message: '' }
              : { type: condition, status: 'False', reason: 'CannotAssign', message: fault },
            new Date(),
          )
        : undefined;
    const patch = {
      ...(!isAsItShouldBe && { loadBalancer: { ingress: next } }),
      ...(conditions && { conditions }),
    };
    if (Object.keys(patch).length === 0) return;
    const { namespace = 'default', name, resourceVersion } = metadata;
    // By the revision that was seen: both lists are others' as well, and a patch replaces them whole.
    const revision = resourceVersion === undefined ? {} : { metadata: { resourceVersion } };
    await ifUnchanged(() =>
      this.#context.datastore.mergePatch(
        services,
        { namespace, name },
        { ...revision, status: patch },
        { subresource: 'status' },
      ),
    );
  }

  #isOfPools(ip: string): boolean {
    const address = tryParseAddress(ip);
    if (!address) return false;
    return this.#pools
      .list()
      .some(
        ({ spec }) =>
          spec.allowedUses?.includes('LoadBalancer') && cidrContains(parseCidr(spec.cidr), address),
      );
  }

  /** Addresses of Services that are gone, or were made again under the same name. */
  async #releaseStrays(): Promise<void> {
    await Promise.all([this.#services.inSync, this.#pools.inSync]);
    const blocks = await this.#ipam.blocksOf(loadBalancers);
    const alive = new Set(this.#services.list().map(handleIdOf));
    const handles = new Set(
      blocks
        .flatMap(allocationsOf)
        // Packets for what a Service has, though it cannot be read, still go there.
        .filter(({ attributes: { namespace, service } }) => {
          return !this.#services.unreadable.has(`${namespace}/${service}`);
        })
        .flatMap(({ handle }) => handle ?? []),
    );
    for (const handle of handles) {
      if (alive.has(handle)) continue;
      const freed = await this.#ipam.releaseByHandle(handle);
      this.#context.log.info(
        { handle, addresses: freed.map(formatAddress) },
        'The Service of these addresses is gone',
      );
    }
  }
}
