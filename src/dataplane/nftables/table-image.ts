// A table as it should be, written by the same calls as a transaction. What the kernel holds is compared with it.
import type { Chain, Element, NftSet, Rule } from '../../kernel/index.ts';
import { type Unit, unitsOf } from './table-text.ts';

/** The calls of a transaction that programs are made of. */
export interface TableWriter {
  /** For whose sake the next calls are. */
  owner: string | undefined;
  addChain(chain: Chain): void;
  flushChain(name: string): void;
  deleteChain(name: string): void;
  addRule(rule: Rule): void;
  addSet(set: NftSet): void;
  deleteSet(name: string): void;
  addElements(set: NftSet, elements: readonly Element[]): void;
  deleteElements(set: NftSet, elements: readonly Element[]): void;
}

/** Something of an image, and for whose sake it is there. */
export interface Owned<T> {
  readonly value: T;
  readonly owner: string | undefined;
}

export class TableImage implements TableWriter {
  owner: string | undefined;
  readonly chains = new Map<string, Owned<Chain>>();
  readonly #rules = new Map<string, Owned<Rule>[]>();
  readonly sets = new Map<string, Owned<NftSet>>();
  /** As they were added: most are never compared. */
  readonly #elements = new Map<string, Owned<readonly Element[]>[]>();

  addChain(chain: Chain): void {
    if (!this.chains.has(chain.name)) this.chains.set(chain.name, this.#owned(chain));
  }

  flushChain(name: string): void {
    this.#rules.delete(name);
  }

  deleteChain(name: string): void {
    this.chains.delete(name);
  }

  addRule(rule: Rule): void {
    const rules = this.#rules.get(rule.chain);
    if (rules) rules.push(this.#owned(rule));
    else this.#rules.set(rule.chain, [this.#owned(rule)]);
  }

  addSet(set: NftSet): void {
    if (!this.sets.has(set.name)) this.sets.set(set.name, this.#owned(set));
  }

  deleteSet(name: string): void {
    this.sets.delete(name);
    this.#elements.delete(name);
  }

  addElements({ name }: NftSet, elements: readonly Element[]): void {
    if (elements.length === 0) return;
    const chunks = this.#elements.get(name);
    if (chunks) chunks.push(this.#owned(elements));
    else this.#elements.set(name, [this.#owned(elements)]);
  }

  deleteElements({ name }: NftSet, elements: readonly Element[]): void {
    const gone = new Set(unitsOf(elements).map(({ text }) => text));
    const chunks = gone.size === 0 ? undefined : this.#elements.get(name);
    if (!chunks) return;
    const kept = (chunk: readonly Element[]) =>
      unitsOf(chunk).flatMap((unit) => (gone.has(unit.text) ? [] : unit.elements));
    const left = chunks.map(({ value, owner }) => ({ value: kept(value), owner }));
    this.#elements.set(
      name,
      left.filter(({ value }) => value.length > 0),
    );
  }

  /** Chains that have rules, with or without being there themselves. */
  get chainsWithRules(): Iterable<string> {
    return this.#rules.keys();
  }

  rulesOf(chain: string): readonly Owned<Rule>[] {
    return this.#rules.get(chain) ?? [];
  }

  elementsOf(set: string): readonly Owned<readonly Element[]>[] {
    return this.#elements.get(set) ?? [];
  }

  /** The elements of a set by what they are in text. */
  unitsOf(set: string): Map<string, Owned<Unit>> {
    const units = this.elementsOf(set).flatMap(({ value, owner }) =>
      unitsOf(value).map((unit) => [unit.text, { value: unit, owner }] as const),
    );
    return new Map(units);
  }

  #owned<T>(value: T): Owned<T> {
    return { value, owner: this.owner };
  }
}
