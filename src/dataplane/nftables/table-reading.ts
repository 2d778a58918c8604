// A table as the kernel holds it.
import type { Chain, Element, Nftables, NftSet, Rule, Table } from '../../kernel/index.ts';
import { inOrder, textOfRule, type Unit, unitsOf } from './table-text.ts';

export class TableReading {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly sets: ReadonlyMap<string, NftSet>;
  readonly #rules: ReadonlyMap<string, readonly string[]>;
  readonly #units = new Map<string, readonly Unit[]>();
  readonly #listElements: (set: string) => Element[];

  private constructor(
    chains: readonly Chain[],
    rules: readonly Rule[],
    sets: readonly NftSet[],
    listElements: (set: string) => Element[],
  ) {
    this.chains = byName(chains);
    this.sets = byName(sets);
    this.#rules = new Map(
      [...Map.groupBy(rules, ({ chain }) => chain)].map(([chain, list]) => [chain, list.map(textOfRule)]),
    );
    this.#listElements = listElements;
  }

  /** Elements are read set by set, when they are asked for. @throws KernelError */
  static of(kernel: Nftables, table: Table): TableReading {
    return new TableReading(
      kernel.listChains(table),
      kernel.listRules(table),
      kernel.listSets(table),
      (name) => kernel.listElements(table, name),
    );
  }

  /** Of no table, or of an empty one. */
  static ofNothing(): TableReading {
    return new TableReading([], [], [], () => []);
  }

  /** In text, in their order; empty for a chain that is not there. */
  rulesOf(chain: string): readonly string[] {
    return this.#rules.get(chain) ?? [];
  }

  /** Empty for a set that is not there. @throws KernelError */
  unitsOf(set: string): readonly Unit[] {
    const known = this.#units.get(set);
    if (known) return known;
    const { interval } = this.sets.get(set) ?? {};
    const elements = this.sets.has(set) ? this.#listElements(set) : [];
    const units = unitsOf(interval ? inOrder(elements) : elements);
    this.#units.set(set, units);
    return units;
  }
}

function byName<T extends { readonly name: string }>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [object.name, object]));
}
