// The single addresses of calc's address sets in the kernel: a set per family, changed by the difference. Whole networks
// stand elsewhere: see set-nets.ts.
import type { AddressSet, Changes, DesiredState } from '../../calc/index.ts';
import type { Element, KeyType, NftSet } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import { memberKey } from './bytes.ts';
import { type Isolation, ownedBy } from './isolation.ts';
import { addressSetName } from './names.ts';
import type { TableWriter } from './table-image.ts';

const families: readonly Family[] = [4, 6];

export class AddressSetProgram {
  readonly #isolation: Isolation;
  readonly #sets = new Set<string>();

  constructor(isolation: Isolation) {
    this.#isolation = isolation;
  }

  /** Returns the names of sets that have to go when nobody refers to them any more. */
  change(transaction: TableWriter, state: DesiredState, changes: Changes): string[] {
    const gone: string[] = [];
    for (const [id, { added, removed }] of changes.sets) {
      const set = state.sets.get(id);
      const isKnown = this.#sets.has(id);
      if (!set) {
        if (this.#sets.delete(id)) gone.push(...families.map((family) => addressSetName(id, family)));
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
      });
    }
    transaction.owner = undefined;
    return gone;
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
