// Which addresses a pod is believed to have. Whoever may write a pod may write anything into its annotations: what they say counts
// where IPAM has assigned that address to that very pod, and then before the kubelet has put it into the status. The kubelet's
// word counts for every address but one that IPAM has assigned to another pod, which some other was perhaps before.
import { type Address, type Cidr, cidrOf, type Family, parseAddress, tryParseCidr } from '../net/index.ts';
import type { WorkloadEndpoint } from '../policy/index.ts';
import type { IPAMBlock } from '../resources/index.ts';

interface Held {
  readonly cidr: Cidr;
  readonly spec: IPAMBlock['spec'];
}

/** What a pod claims. Its texts tell whether that is what it was; parsed, addresses are found sooner. */
interface Claim {
  readonly text: string;
  readonly announced: readonly Address[];
  readonly addresses: readonly Address[];
}

const nothing: Claim = { text: '', announced: [], addresses: [] };

export class AddressClaims {
  /** By name of the object. */
  readonly #blocks = new Map<string, Held>();
  readonly #byRange = new Map<string, Held>();
  /** How many blocks there are of each prefix length. */
  readonly #lengths: Readonly<Record<Family, Map<number, number>>> = { 4: new Map(), 6: new Map() };
  readonly #claims = new Map<string, Claim>();
  /** Keys of pods by the addresses that they claim; nearly always one, which then stands for itself. */
  readonly #claimants: Readonly<Record<Family, Map<bigint, string | Set<string>>>> = {
    4: new Map(),
    6: new Map(),
  };

  /** What the pod is believed to have of what it claims from now on; undefined claims nothing. */
  settle(key: string, pod: Pick<WorkloadEndpoint, 'addresses' | 'announced'> | undefined): readonly string[] {
    const announced = pod?.announced ?? [];
    const addresses = pod?.addresses ?? [];
    const claim = this.#claim(key, announced, addresses);
    if (announced.length > 0 && claim.announced.every((address) => this.#ownerOf(address) === key))
      return announced;
    if (this.#blocks.size === 0) return addresses;
    const isAnothers = claim.addresses.map((address) => {
      const owner = this.#ownerOf(address);
      return owner !== undefined && owner !== key;
    });
    return isAnothers.includes(true) ? addresses.filter((_, index) => !isAnothers[index]) : addresses;
  }

  /** Returns the pods of which something else is to be believed now, perhaps. */
  setBlock(name: string, block: IPAMBlock | undefined): Set<string> {
    const before = this.#blocks.get(name);
    const cidr = block && tryParseCidr(block.spec.cidr);
    const after = block && cidr ? { cidr, spec: block.spec } : undefined;
    if (before) this.#forget(name, before);
    if (after) this.#note(name, after);
    const touched = new Set<string>();
    for (const [here, there] of [
      [before, after],
      [after, before],
    ] as const) {
      if (!here) continue;
      const claimants = this.#claimants[here.cidr.family];
      if (claimants.size === 0) continue;
      const other = there && rangeKey(there.cidr) === rangeKey(here.cidr) ? there : undefined;
      for (const ordinal of here.spec.allocations.keys()) {
        const found = claimants.get(here.cidr.network + BigInt(ordinal));
        if (found === undefined) continue;
        const owners = [ownerAt(here, ordinal), other && ownerAt(other, ordinal)];
        if (owners[0] === owners[1]) continue;
        for (const key of typeof found === 'string' ? [found] : found) {
          // That IPAM says what the kubelet says changes nothing.
          const isAnothers = owners.some((owner) => owner !== undefined && owner !== key);
          if (isAnothers || this.#claims.get(key)?.announced.length) touched.add(key);
        }
      }
    }
    return touched;
  }

  #claim(key: string, announced: readonly string[], addresses: readonly string[]): Claim {
    const before = this.#claims.get(key) ?? nothing;
    const text = announced.length + addresses.length > 0 ? `${announced.join()} ${addresses.join()}` : '';
    if (before.text === text) return before;
    for (const address of [...before.announced, ...before.addresses]) this.#withdraw(key, address);
    if (text === '') {
      this.#claims.delete(key);
      return nothing;
    }
    const claim = { text, announced: announced.map(parseAddress), addresses: addresses.map(parseAddress) };
    this.#claims.set(key, claim);
    for (const { family, value } of [...claim.announced, ...claim.addresses]) {
      const claimants = this.#claimants[family];
      const found = claimants.get(value);
      if (found === undefined) claimants.set(value, key);
      else if (typeof found !== 'string') found.add(key);
      else if (found !== key) claimants.set(value, new Set([found, key]));
    }
    return claim;
  }

  #withdraw(key: string, { family, value }: Address): void {
    const claimants = this.#claimants[family];
    const found = claimants.get(value);
    if (typeof found === 'string' || found === undefined) {
      if (found === key) claimants.delete(value);
      return;
    }
    found.delete(key);
    if (found.size === 0) claimants.delete(value);
  }

  /** "namespace/pod"; undefined where IPAM does not say. */
  #ownerOf(address: Address): string | undefined {
    const held = this.#blockAround(address);
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
