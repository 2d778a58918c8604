// Calc's address sets in the kernel: one set of single addresses per family, and one of ranges beside it for as long as the
// set has whole networks. What the kernel holds is changed by the difference.
import type { AddressSet, Changes, DesiredState } from '../../calc/index.ts';
import type { Element, KeyType, NftSet } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import { memberKey } from './bytes.ts';
import { type Isolation, ownedBy } from './isolation.ts';
import { addressSetName, netSetName } from './names.ts';
import { changeRanges, netSetOf, type Ranges, rangesOf } from './net-ranges.ts';
import type { TableWriter } from './table-image.ts';

const families: readonly Family[] = [4, 6];

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
    const wanted = isClosed
      ? { 4: [], 6: [] }
      : { 4: rangesOf(set.nets.keys(), 4), 6: rangesOf(set.nets.keys(), 6) };
    for (const family of families) {
      const definition = netSetOf(netSetName(id, family), family);
      if (!known) transaction.addSet(definition);
      changeRanges(transaction, definition, family, known?.[family] ?? [], wanted[family]);
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

function elementsOf(members: readonly string[], family: Family): Element[] {
  return members
    .filter((member) => member.includes(':') === (family === 6))
    .map((member) => ({ key: memberKey(member) }));
}
