// The addresses that IPReservations keep from being handed out by themselves. Who asks for one of them by name may have it.
import {
  type Address,
  addressAt,
  type Cidr,
  cidrSize,
  type Family,
  lastAddressOf,
  mergeRanges,
  parseCidr,
  type Range,
  subtractRanges,
  tryParseCidr,
} from '../net/index.ts';
import type { IPReservation } from '../resources/index.ts';
import type { BlockSpec } from './block.ts';

export class Reservations {
  readonly #ranges: Readonly<Record<Family, readonly Range<bigint>[]>>;

  constructor(cidrs: readonly Cidr[]) {
    const rangesOf = (family: Family) =>
      mergeRanges(
        cidrs
          .filter((cidr) => cidr.family === family)
          .map((cidr) => ({ first: cidr.network, last: lastAddressOf(cidr).value })),
      );
    this.#ranges = { 4: rangesOf(4), 6: rangesOf(6) };
  }

  has({ family, value }: Address): boolean {
    return this.#ranges[family].some(({ first, last }) => first <= value && value <= last);
  }

  /** How many addresses of a CIDR are reserved. */
  countWithin(cidr: Cidr): bigint {
    const whole = [{ first: cidr.network, last: lastAddressOf(cidr).value }];
    const free = subtractRanges(whole, this.#ranges[cidr.family]);
    return free.reduce((count, { first, last }) => count - (last - first + 1n), cidrSize(cidr));
  }

  /** The last address of the reserved range that covers all of a CIDR; undefined when some address of it is not reserved. */
  endOfRangeAround(cidr: Cidr): bigint | undefined {
    const end = lastAddressOf(cidr).value;
    return this.#ranges[cidr.family].find(({ first, last }) => first <= cidr.network && end <= last)?.last;
  }

  /** Tells reserved ordinals of a block from others. */
  ofBlock({ cidr }: BlockSpec): (ordinal: number) => boolean {
    const block = parseCidr(cidr);
    if (this.countWithin(block) === 0n) return () => false;
    return (ordinal) => this.has(addressAt(block, BigInt(ordinal)));
  }
}

export const noReservations = new Reservations([]);

/** What is no CIDR reserves nothing: one bad line must not take the others away. */
export function reservationsFrom(objects: readonly IPReservation[]): Reservations {
  return new Reservations(
    objects.flatMap(({ spec }) => (spec.reservedCIDRs ?? []).flatMap((text) => tryParseCidr(text) ?? [])),
  );
}
