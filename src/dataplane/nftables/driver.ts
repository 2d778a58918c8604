// The nftables dataplane: holds the kernel's table to the desired state, a transaction at a time.
import type { Changes, DesiredState } from '../../calc/index.ts';
import { type Nftables, Transaction } from '../../kernel/index.ts';
import { type Generation, generationOf, lastGeneration, markMask } from './judgement.ts';
import { sets, table } from './names.ts';
import { Program } from './program.ts';
import type { SkeletonOptions } from './skeleton.ts';

export interface NftablesDataplaneOptions extends SkeletonOptions {
  /** Clears these bits of the mark of every connection in the namespace. */
  readonly forgetJudgements: (mask: number) => Promise<unknown>;
  /** Told when connections could not be made to forget, or could not be made to remember again. */
  readonly onTrouble: (error: unknown) => void;
}

const nothing: Changes = {
  sets: new Map(),
  policies: new Set(),
  endpoints: new Set(),
  tunnelEndpoints: new Set(),
  routes: new Set(),
};

export class NftablesDataplane {
  readonly #kernel: Nftables;
  readonly #options: NftablesDataplaneOptions;
  /** Undefined while what the kernel holds is in doubt: the next change makes the table anew. */
  #program: Program | undefined;
  #state: DesiredState | undefined;
  #generation: Generation;
  #isForgetting = false;

  /** `kernel` is bound to the network namespace that is to be protected. Reads what is there; changes nothing. */
  constructor(kernel: Nftables, options: NftablesDataplaneOptions) {
    this.#kernel = kernel;
    this.#options = options;
    this.#generation = this.#generationInKernel();
  }

  /**
   * Makes the kernel hold the state, of which `changes` names what differs since the last call; all of it or nothing.
   * @throws TransactionError when the kernel refuses; the table then enforces what it did before, and the next call
   * writes everything anew
   */
  apply(state: DesiredState, changes: Changes): void {
    // A change of routes alone judges no connection anew.
    const isNothing = changes.sets.size + changes.policies.size + changes.endpoints.size === 0;
    if (this.#program && isNothing) return;
    this.#commit(state, changes, this.#nextGeneration());
    if (this.#generation === 0) void this.#forget();
  }

  /** Somebody else may have changed the table: the next `apply` writes everything anew. */
  distrust(): void {
    this.#program = undefined;
  }

  #commit(state: DesiredState, changes: Changes, generation: Generation): void {
    const transaction = new Transaction(table);
    const isNew = this.#program === undefined;
    const program = this.#program ?? new Program();
    this.#program = undefined;
    if (isNew) program.begin(transaction, this.#options);
    program.change(transaction, state, isNew ? everythingIn(state) : changes, generation);
    this.#kernel.commit(transaction);
    this.#program = program;
    this.#state = state;
    this.#generation = generation;
  }

  /**
   * Generation 0 comes first, and between the last and the first: in it nothing is remembered, so that what connections
   * remember of earlier times can be wiped before a number is used again.
   */
  #nextGeneration(): Generation {
    return this.#generation === 0 || this.#generation === lastGeneration ? 0 : this.#generation + 1;
  }

  async #forget(): Promise<void> {
    if (this.#isForgetting) return;
    this.#isForgetting = true;
    try {
      await this.#options.forgetJudgements(markMask);
      if (this.#program && this.#state) this.#commit(this.#state, nothing, 1);
    } catch (error) {
      // Every packet is judged until the next change brings another attempt: slower, but not less safe.
      this.#options.onTrouble(error);
    } finally {
      this.#isForgetting = false;
    }
  }

  #generationInKernel(): Generation {
    const elements = this.#kernel.listElements(table, sets.judged);
    return Math.max(0, ...elements.map(generationOf));
  }
}

function everythingIn(state: DesiredState): Changes {
  return {
    sets: new Map(
      [...state.sets].map(([id, { members }]) => [id, { added: [...members.keys()], removed: [] }]),
    ),
    policies: new Set(state.policies.keys()),
    endpoints: new Set(state.endpoints.keys()),
    tunnelEndpoints: new Set(state.tunnelEndpoints.keys()),
    routes: new Set(state.routes.keys()),
  };
}
