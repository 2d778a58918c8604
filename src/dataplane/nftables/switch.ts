// A change of the table in two transactions: new sets with their content first, which no rule speaks of yet, and then all the
// rest at once. The kernel puts rules into force in one moment, but what is in a set of ranges a little later; were both in
// one transaction, packets would for that while find new rules over empty sets.
import {
  type Chain,
  type Element,
  type Nftables,
  type NftSet,
  type Rule,
  Transaction,
} from '../../kernel/index.ts';
import type { TableWriter } from './table-image.ts';

export class Switch implements TableWriter {
  readonly #before: Transaction;
  readonly #then: Transaction;
  readonly #newSets = new Set<string>();

  constructor(table: Transaction['table']) {
    this.#before = new Transaction(table);
    this.#then = new Transaction(table);
  }

  /**
   * @throws TransactionError; what was enforced is then enforced still, and sets may have been left that no rule speaks of
   */
  commit(kernel: Nftables): void {
    if (this.#before.size > 0) kernel.commit(this.#before);
    kernel.commit(this.#then);
  }

  /** What is written there comes into force with all the rest, also where it speaks of another table. */
  get atOnce(): Transaction {
    return this.#then;
  }

  get owner(): string | undefined {
    return this.#then.owner;
  }

  set owner(owner: string | undefined) {
    this.#before.owner = owner;
    this.#then.owner = owner;
  }

  addSet(set: NftSet): void {
    this.#newSets.add(set.name);
    this.#before.addSet(set);
  }

  addElements(set: NftSet, elements: readonly Element[]): void {
    // What a map leads to may itself be new: verdicts belong to the switch.
    const isBefore = this.#newSets.has(set.name) && !set.verdicts;
    (isBefore ? this.#before : this.#then).addElements(set, elements);
  }

  deleteElements(set: NftSet, elements: readonly Element[]): void {
    (this.#newSets.has(set.name) ? this.#before : this.#then).deleteElements(set, elements);
  }

  addChain(chain: Chain): void {
    this.#then.addChain(chain);
  }

  flushChain(name: string): void {
    this.#then.flushChain(name);
  }

  deleteChain(name: string): void {
    this.#then.deleteChain(name);
  }

  addRule(rule: Rule): void {
    this.#then.addRule(rule);
  }

  deleteSet(name: string): void {
    this.#then.deleteSet(name);
  }
}
