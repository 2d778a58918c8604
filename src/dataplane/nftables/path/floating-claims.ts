// Which pod of this node a floating address leads to, where several ask for the same one: the one whose own address is the smallest,
// as upstream has it, whatever the order in which they came. The others go without, and that alone.
import type { EndpointProgram } from '../../../calc/index.ts';
import { type Family, formatAddress, parseAddress } from '../../../net/index.ts';

export interface FloatingAddress {
  readonly family: Family;
  readonly value: bigint;
  /** The pod's own, to which it leads. */
  readonly target: bigint;
}

/** Of the addresses that a pod asks for, each once, those that can lead to one of its own. */
export function floatingAddressesOf({ addresses, path }: EndpointProgram): FloatingAddress[] {
  const own = addresses.map(parseAddress);
  return [...new Set((path?.floatingIps ?? []).map((text) => formatAddress(parseAddress(text))))].flatMap(
    (text) => {
      const { family, value } = parseAddress(text);
      const target = own.find((address) => address.family === family);
      return target ? [{ family, value, target: target.value }] : [];
    },
  );
}

export class FloatingClaims {
  /** By floating address, the own address of each endpoint that asks for it. */
  readonly #claims = new Map<string, Map<string, bigint>>();
  readonly #of = new Map<string, readonly string[]>();

  /** What the endpoint asks for from now on. Returns the others that ask for any of it, or of what it asked for before. */
  claim(key: string, floating: readonly FloatingAddress[]): Set<string> {
    const before = this.#of.get(key) ?? [];
    const rivals = new Set<string>();
    const note = (name: string) => {
      for (const other of this.#claims.get(name)?.keys() ?? []) if (other !== key) rivals.add(other);
    };
    for (const name of before) {
      note(name);
      const claims = this.#claims.get(name);
      claims?.delete(key);
      if (claims?.size === 0) this.#claims.delete(name);
    }
    for (const address of floating) {
      const name = nameOf(address);
      note(name);
      this.#claims.set(name, (this.#claims.get(name) ?? new Map<string, bigint>()).set(key, address.target));
    }
    if (floating.length > 0) this.#of.set(key, floating.map(nameOf));
    else this.#of.delete(key);
    return rivals;
  }

  isHeldBy(key: string, address: FloatingAddress): boolean {
    const claims = this.#claims.get(nameOf(address));
    return ![...(claims ?? [])].some(
      ([other, target]) =>
        other !== key && (target < address.target || (target === address.target && other < key)),
    );
  }
}

function nameOf({ family, value }: FloatingAddress): string {
  return `${family} ${value}`;
}
