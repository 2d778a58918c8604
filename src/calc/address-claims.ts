// Which addresses a pod is believed to have. Whoever may write a pod may write anything into its annotations: what they say counts
// where IPAM has assigned that address to that very pod, and then before the kubelet has put it into the status. The kubelet's
// word counts for every address but one that IPAM has assigned to another pod, which some other was perhaps before.
import {
  type Address,
  addressAt,
  type Cidr,
  cidrOf,
  type Family,
  formatAddress,
  formatCidr,
  tryParseAddress,
  tryParseCidr,
} from '../net/index.ts';
import type { WorkloadEndpoint } from '../policy/index.ts';
import type { IPAMBlock } from '../resources/index.ts';

interface Held {
  readonly cidr: Cidr;
  readonly spec: IPAMBlock['spec'];
}

export class AddressClaims {
  /** By name of the object. */
  readonly #blocks = new Map<string, Held>();
  readonly #byRange = new Map<string, Held>();
  /** How many blocks there are of each prefix length. */
  readonly #lengths: Readonly<Record<Family, Map<number, number>>> = { 4: new Map(), 6: new Map() };
  readonly #claims = new Map<string, readonly string[]>();
  /** Keys of pods by the addresses that they claim. */
  readonly #claimants = new Map<string, Set<string>>();

  /** What the pod is believed to have of what it claims from now on; undefined claims nothing. */
  settle(key: string, pod: Pick<WorkloadEndpoint, 'addresses' | 'announced'> | undefined): readonly string[] {
    const announced = pod?.announced ?? [];
    const addresses = pod?.addresses ?? [];
    this.#claim(key, [...announced, ...addresses]);
    const isAssigned = announced.length > 0 && announced.every((address) => this.#ownerOf(address) === key);
    if (isAssigned) return announced;
    const believed = addresses.filter((address) => [undefined, key].includes(this.#ownerOf(address)));
    return believed.length === addresses.length ? addresses : believed;
  }

  /** Returns the pods of which something else is to be believed now, perhaps. */
  setBlock(name: string, block: IPAMBlock | undefined): Set<string> {
    const before = this.#blocks.get(name);
    const cidr = block && tryParseCidr(block.spec.cidr);
    const after = block && cidr ? { cidr, spec: block.spec } : undefined;
    if (before) this.#forget(name, before);
    if (after) this.#note(name, after);
    const touched = new Set<string>();
    if (this.#claimants.size === 0) return touched;
    for (const [here, there] of [
      [before, after],
      [after, before],
    ] as const) {
      if (!here) continue;
      const other = there && formatCidr(there.cidr) === formatCidr(here.cidr) ? there : undefined;
      for (const ordinal of here.spec.allocations.keys()) {
        if (ownerAt(here, ordinal) === (other && ownerAt(other, ordinal))) continue;
        const address = formatAddress(addressAt(here.cidr, BigInt(ordinal)));
        for (const key of this.#claimants.get(address) ?? []) touched.add(key);
      }
    }
    return touched;
  }

  #claim(key: string, addresses: readonly string[]): void {
    const before = this.#claims.get(key) ?? [];
    if (before.join() === addresses.join()) return;
    for (const address of before) {
      const claimants = this.#claimants.get(address);
      claimants?.delete(key);
      if (claimants?.size === 0) this.#claimants.delete(address);
    }
    for (const address of addresses) {
      const claimants = this.#claimants.get(address);
      if (claimants) claimants.add(key);
      else this.#claimants.set(address, new Set([key]));
    }
    if (addresses.length > 0) this.#claims.set(key, addresses);
    else this.#claims.delete(key);
  }

  /** "namespace/pod"; undefined where IPAM does not say. */
  #ownerOf(text: string): string | undefined {
    const address = tryParseAddress(text);
    const held = address && this.#blockAround(address);
    return held && ownerAt(held, Number(address.value - held.cidr.network));
  }

  #blockAround(address: Address): Held | undefined {
    for (const length of this.#lengths[address.family].keys()) {
      const held = this.#byRange.get(rangeKey(cidrOf(address, length)));
      if (held) return held;
    }
    return undefined;
  }

  #note(name: string, held: Held): void {
    this.#blocks.set(name, held);
    this.#byRange.set(rangeKey(held.cidr), held);
    const lengths = this.#lengths[held.cidr.family];
    lengths.set(held.cidr.length, (lengths.get(held.cidr.length) ?? 0) + 1);
  }

  #forget(name: string, held: Held): void {
    this.#blocks.delete(name);
    this.#byRange.delete(rangeKey(held.cidr));
    const lengths = this.#lengths[held.cidr.family];
    const left = (lengths.get(held.cidr.length) ?? 1) - 1;
    if (left > 0) lengths.set(held.cidr.length, left);
    else lengths.delete(held.cidr.length);
  }
}

/** Undefined also for what is assigned to no pod, or cools down. */
function ownerAt({ spec }: Held, ordinal: number): string | undefined {
  const index = spec.allocations[ordinal];
  const attribute = typeof index === 'number' ? spec.attributes[index] : undefined;
  const pod = attribute?.releasedAt === undefined ? attribute?.secondary?.pod : undefined;
  return pod === undefined ? undefined : `${attribute?.secondary?.namespace ?? 'default'}/${pod}`;
}

/** Cheaper than its text. */
function rangeKey({ family, length, network }: Cidr): string {
  return `${family} ${length} ${network}`;
}
