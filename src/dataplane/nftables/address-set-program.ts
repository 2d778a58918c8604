// Calc's address sets in the kernel: one set of single addresses per family, and one of ranges beside it for as long as the
// set has whole networks. What the kernel holds is changed by the difference.
import type { AddressSet, Changes, DesiredState } from '../../calc/index.ts';
import type { Element, KeyType, NftSet } from '../../kernel/index.ts';
import { type Family, lastAddressOf, mergeRanges, parseCidr, type Range } from '../../net/index.ts';
import { memberKey } from './bytes.ts';
import { rangeElements } from './content-sets.ts';
import { type Isolation, ownedBy } from './isolation.ts';
import { addressSetName, netSetName } from './names.ts';
import type { TableWriter } from './table-image.ts';

const families: readonly Family[] = [4, 6];
type Ranges = readonly Range<bigint>[];

export class AddressSetProgram {
  readonly #isolation: Isolation;
  readonly #sets = new Set<string>();
  /** Ranges of the networks of each set that has any, per family. */
  readonly #nets = new Map<string, Readonly<Record<Family, Ranges>>>();

  constructor(isolation: Isolation) {
    this.#isolation = isolation;
  }

  /** Returns the names of sets that have to go when nobody refers to them any more. */
  change(transaction: TableWriter, state: DesiredState, changes: Changes): string[] {
    const gone: string[] = [];
    for (const [id, { added, removed, netsChanged }] of changes.sets) {
      const set = state.sets.get(id);
      const isKnown = this.#sets.has(id);
      if (!set) {
        if (this.#sets.delete(id)) gone.push(...families.map((family) => addressSetName(id, family)));
        gone.push(...this.#changeNets(transaction, id, undefined));
        continue;
      }
      this.#sets.add(id);
      const isClosed = this.#isolation.isClosed('set', id);
      ownedBy(transaction, `set ${id}`, () => {
        for (const family of families) {
          const definition = addressSet(id, set, family);
          if (!isKnown) transaction.addSet(definition);
          if (isClosed) continue;
          transaction.deleteElements(definition, elementsOf(removed, family));
          transaction.addElements(definition, elementsOf(added, family));
        }
        if (netsChanged || !isKnown) gone.push(...this.#changeNets(transaction, id, set));
      });
    }
    transaction.owner = undefined;
    return gone;
  }

  #changeNets(transaction: TableWriter, id: string, set: AddressSet | undefined): string[] {
    const known = this.#nets.get(id);
    if (!set || set.nets.size === 0) {
      this.#nets.delete(id);
      return known ? families.map((family) => netSetName(id, family)) : [];
    }
    const isClosed = this.#isolation.isClosed('set', id);
    const wanted = isClosed ? { 4: [], 6: [] } : { 4: rangesOf(set, 4), 6: rangesOf(set, 6) };
    for (const family of families) {
      const definition = netSet(id, family);
      if (!known) transaction.addSet(definition);
      const [before, after] = [known?.[family] ?? [], wanted[family]];
      const isIn = (list: Ranges) => {
        const texts = new Set(list.map(textOf));
        return (range: Range<bigint>) => texts.has(textOf(range));
      };
      const [isBefore, isAfter] = [isIn(before), isIn(after)];
      transaction.deleteElements(
        definition,
        netElements(
          before.filter((range) => !isAfter(range)),
          family,
        ),
      );
      transaction.addElements(
        definition,
        netElements(
          after.filter((range) => !isBefore(range)),
          family,
        ),
      );
    }
    this.#nets.set(id, wanted);
    return [];
  }
}

function addressSet(id: string, { kind }: AddressSet, family: Family): NftSet {
  const address: KeyType = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const key: KeyType[] = kind === 'address' ? [address] : [address, 'inet_proto', 'inet_service'];
  return { name: addressSetName(id, family), key };
}

function netSet(id: string, family: Family): NftSet {
  return { name: netSetName(id, family), key: [family === 4 ? 'ipv4_addr' : 'ipv6_addr'], interval: true };
}

function elementsOf(members: readonly string[], family: Family): Element[] {
  return members
    .filter((member) => member.includes(':') === (family === 6))
    .map((member) => ({ key: memberKey(member) }));
}

/** Disjoint, however the networks overlap. */
function rangesOf({ nets }: AddressSet, family: Family): Ranges {
  const cidrs = [...nets.keys()].map(parseCidr).filter((cidr) => cidr.family === family);
  return mergeRanges(cidrs.map((cidr) => ({ first: cidr.network, last: lastAddressOf(cidr).value })));
}

function netElements(ranges: Ranges, family: Family): Element[] {
  return ranges.flatMap((range) => rangeElements(range, family));
}

function textOf({ first, last }: Range<bigint>): string {
  return `${first}-${last}`;
}
