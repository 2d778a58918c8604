// The nftables dataplane: holds the kernel's table to the desired state, a transaction at a time. Where the kernel can, the
// table is owned: nobody else may change it, not even `nft flush ruleset`, and it outlives us.
import { setTimeout as delay } from 'node:timers/promises';
import type { Changes, DesiredState, NetworkFact } from '../../calc/index.ts';
import {
  type Nftables,
  packetsInFlight,
  TransactionError,
  type Watch,
  watchTable,
} from '../../kernel/index.ts';
import { Isolation, mayPass, wholeSet } from './isolation.ts';
import { type Generation, generationOf } from './judgement.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { sets, table } from './names.ts';
import { nextStamp, stampIn } from './overtaken.ts';
import { type Moment, Program, type ProgramOptions } from './program.ts';
import { type Stamping, StampTable } from './stamp-table.ts';
import { Switch } from './switch.ts';
import { differences, layoutDifference } from './table-difference.ts';
import { TableImage } from './table-image.ts';
import { TableReading } from './table-reading.ts';
import { adoptTable, isOfOurLayout, removeStandIn, replaceTable, updateTable } from './take-over.ts';

export interface NftablesDataplaneOptions extends ProgramOptions {
  /** Clears these bits of the mark of every connection in the namespace. */
  readonly forgetJudgements: (mask: number) => Promise<unknown>;
  /** Resolves when no packet is under way any more that may have been judged by an earlier state; the kernel's word when absent. */
  readonly packetsInFlight?: () => Promise<void>;
  /** Told when connections could not be made to forget, or to remember again; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** Told, in words, which objects are closed because they cannot be programmed, and why. */
  readonly onIsolated?: (objects: readonly string[], why: unknown) => void;
  /** False leaves the table open to other hands where it could be owned. */
  readonly owned?: boolean;
  /** Lets connections that some state of policy has permitted go on, whatever later ones say. */
  readonly keepsConnections?: boolean;
}

/** Until the next generation is tried again that could not be begun. */
const retryMs = 1000;

const nothing: Changes = {
  sets: new Map(),
  policies: new Set(),
  endpoints: new Set(),
  hostEndpoints: new Set(),
  tunnelEndpoints: new Set(),
  routes: new Set(),
  network: new Set(),
};

export class NftablesDataplane {
  readonly #kernel: Nftables;
  #options: NftablesDataplaneOptions;
  readonly #isolation = new Isolation();
  /** Whether nobody but us can change the table. */
  readonly isOwned: boolean;
  /** Undefined while what the kernel holds is in doubt: the next change compares all of it. */
  #program: Program | undefined;
  #state: DesiredState | undefined;
  /** Whether the kernel may hold more of the state, which lives on, than changes have told of. */
  #isAhead = false;
  /** Whether the next commit is to forget what connections remember, even where nothing else differs. */
  #judgesAnew = false;
  /** What the kernel holds; of generation 0 while nothing is remembered. */
  #moment: Moment;
  /** The greatest that connections may remember something of; undefined when it may be any. */
  #lastUsed: Generation | undefined;
  readonly #stamps: StampTable;
  #commits = 0;
  #overtaking: Promise<void> | undefined;
  #settling: Promise<void> | undefined;

  /** `kernel` is bound to the network namespace that is to be protected. Reads what is there; changes nothing. */
  constructor(kernel: Nftables, options: NftablesDataplaneOptions) {
    this.#kernel = kernel;
    this.#options = options;
    this.isOwned = (options.owned ?? true) && kernel.canOwnTables();
    this.#moment = this.#momentInKernel();
    this.#lastUsed = this.#moment.generation || undefined;
    this.#stamps = new StampTable(kernel, this.isOwned);
  }

  /**
   * Makes the kernel hold the state, of which `changes` names what differs since the last call; all of it or nothing, but
   * for objects that cannot be programmed, which are closed.
   * @throws TransactionError when the kernel refuses; the table then enforces what it did before, and the next call
   * compares everything
   */
  apply(state: DesiredState, changes: Changes): void {
    const { sets: addresses, policies, endpoints, hostEndpoints, network } = changes;
    // A change of routes alone judges no connection anew.
    const isNothing =
      addresses.size + policies.size + endpoints.size + hostEndpoints.size + network.size === 0;
    if (this.#isAhead) this.#program = undefined;
    this.#isAhead = false;
    if (this.#program && isNothing) return;
    this.#commit(state, this.#isolation.reopen(state, changes));
  }

  /**
   * What was permitted up to now is asked for again: not all of it was by the state. At once, or with the next `apply` where that compares
   * everything. @throws TransactionError as `apply`
   */
  judgeAnew(): void {
    this.#judgesAnew = true;
    if (!this.#program || !this.#state) return;
    this.#commit(this.#state, nothing);
  }

  /** Somebody else may have changed the table: the next `apply` compares everything, and tries again what was closed. */
  distrust(): void {
    this.#program = undefined;
    this.#isolation.clear();
  }

  /** From the next `apply` on, which compares everything and writes what differs. */
  reconfigure(options: Partial<ProgramOptions>): void {
    this.#options = { ...this.#options, ...options };
    this.#program = undefined;
  }

  /**
   * Calls `touched` whenever somebody else changes the table. Undefined where nobody can: then the kernel need not make up
   * an event of every element that we write ourselves.
   */
  watch(touched: () => void, namespace?: number): Watch | undefined {
    if (this.isOwned) return undefined;
    const place = namespace === undefined ? {} : { namespace };
    return watchTable({ table, ownPort: this.#kernel.port, ...place }, touched);
  }

  /** What, in words, the kernel holds otherwise than it was last told; undefined when nothing does, or when that changes just now. */
  async audit(): Promise<string | undefined> {
    const state = this.#state;
    const commits = this.#commits;
    if (!state || !this.#program) return undefined;
    const found = this.#kernel.lookUpTable(table);
    if (!found) return 'the table is gone';
    if (found.dormant) return 'the table is dormant';
    if (this.isOwned && found.owner !== this.#kernel.port) return 'the table is not ours any more';
    const image = this.#imageOf(new Program(this.#options, this.#isolation), state);
    const difference = await unhurriedDifference(image, TableReading.of(this.#kernel, table));
    return this.#commits === commits ? (difference ?? this.#stamps.audit()) : undefined;
  }

  /**
   * Resolves when no packet is under way any more that the last change may have overtaken; undefined when that is so. A change that
   * does not wait for it may overtake a packet a second time, which is then judged by parts of two states.
   */
  get overtaking(): Promise<void> | undefined {
    return this.#overtaking;
  }

  /** Resolves when connections remember again what was permitted. */
  async settled(): Promise<void> {
    await this.#settling;
  }

  /** In generation 0, unless nothing had to be written. */
  #commit(state: DesiredState, changes: Changes): void {
    for (;;) {
      const program = this.#program ?? new Program(this.#options, this.#isolation);
      try {
        if (this.#program) this.#change(program, state, changes, this.#afterChange());
        else this.#bringAll(program, state);
        break;
      } catch (error) {
        const closed = this.#isolation.close(error, state, (name) => program.usersOfContent(name));
        if (closed.length === 0) throw error;
        this.#options.onIsolated?.(closed, error);
      }
    }
    this.#state = state;
    this.#judgesAnew = false;
    this.#commits++;
    this.#overtake();
    if (this.#moment.generation === 0) this.#settling ??= this.#settle();
  }

  #overtake(): void {
    const overtaking = (this.#options.packetsInFlight ?? packetsInFlight)().then(() => {
      if (this.#overtaking === overtaking) this.#overtaking = undefined;
    });
    this.#overtaking = overtaking;
  }

  #change(program: Program, state: DesiredState, changes: Changes, moment: Moment): void {
    const transaction = new Switch(table);
    this.#program = undefined;
    program.change(transaction, state, changes, moment);
    this.#stamps.change(transaction.atOnce, this.#stampingOf(moment, state));
    transaction.commit(this.#kernel);
    this.#program = program;
    this.#moment = moment;
  }

  /** Nothing is remembered of what was before, unless it counts for ever; what was being judged by it is judged anew. */
  #afterChange(): Moment {
    const { generation } = this.#moment;
    const counts = this.#options.keepsConnections && generation === this.#marks.lastGeneration;
    return { generation: counts ? generation : 0, stamp: nextStamp(this.#marks, this.#moment.stamp) };
  }

  /** The moment stays as it was when nothing else differed either. */
  #bringAll(program: Program, state: DesiredState): void {
    // A commit whose answer got lost has been made all the same: its number stands for what was permitted then.
    this.#moment = this.#momentInKernel();
    if (this.#lastUsed !== undefined) this.#lastUsed = Math.max(this.#lastUsed, this.#moment.generation);
    const image = this.#imageOf(program, state);
    const held = adoptTable(this.#kernel, image, { owned: this.isOwned, marks: this.#marks });
    const isAsItShouldBe = held && differences(image, held).every((difference) => difference === undefined);
    if (!isAsItShouldBe || this.#judgesAnew) {
      const moment = this.#afterChange();
      program.change(image, state, nothing, moment);
      if (!held || !this.#update(image, held))
        replaceTable(this.#kernel, image, { owned: this.isOwned, marks: this.#marks });
      this.#moment = moment;
    }
    removeStandIn(this.#kernel);
    // Behind the table: until then its packets are judged twice, and the second time by its state alone.
    this.#stamps.make(this.#stampingOf(this.#moment, state));
    this.#program = program;
  }

  #stampingOf({ stamp }: Moment, { hostEndpoints }: DesiredState): Stamping {
    return { stamp, marks: this.#marks, hasHosts: hostEndpoints.size > 0 };
  }

  /** False when something stands in the way that is none of ours: then only a new table helps. */
  #update(image: TableImage, held: TableReading): boolean {
    try {
      updateTable(this.#kernel, image, held);
      return true;
    } catch (error) {
      if (mayPass(error) || !(error instanceof TransactionError) || error.owner !== undefined) throw error;
      return false;
    }
  }

  /** The table as the program makes it from nothing, as it is at the present moment. */
  #imageOf(program: Program, state: DesiredState): TableImage {
    const image = new TableImage();
    program.begin(image);
    program.change(image, state, everythingIn(state), this.#moment);
    return image;
  }

  /**
   * Begins the next generation when every packet has left that may have been judged by what stood before, wholly or in part:
   * what such a one notes must not be taken for a judgement by the present state. Changes that come meanwhile begin the
   * waiting anew. Before numbers are used again, connections forget what they remember of them.
   */
  async #settle(): Promise<void> {
    while (this.#kernel.isOpen && this.#moment.generation === 0) {
      try {
        await this.#untilForgotten();
        if (!this.#kernel.isOpen || !this.#state) break;
        // What the kernel holds is in doubt when it did not answer: then all is compared, and it may have begun already.
        if (!this.#program) {
          this.#commit(this.#state, nothing);
          this.#isAhead = true;
        } else this.#begin(this.#program, this.#state);
      } catch (error) {
        // Every packet is judged until then: slower, but not less safe.
        this.#options.onTrouble(error);
        await delay(retryMs, undefined, { ref: false });
      }
    }
    this.#settling = undefined;
  }

  async #untilForgotten(): Promise<void> {
    for (let commits = -1; commits !== this.#commits; ) {
      commits = this.#commits;
      await this.#overtaking;
      if (this.#lastUsed !== undefined && this.#lastUsed !== this.#marks.lastGeneration) continue;
      await this.#options.forgetJudgements(this.#marks.ours);
      this.#lastUsed = 0;
    }
  }

  #begin(program: Program, state: DesiredState): void {
    const next = (this.#lastUsed ?? 0) + 1;
    const generation = this.#options.keepsConnections ? this.#marks.lastGeneration : next;
    // Used even if the kernel's answer gets lost.
    this.#lastUsed = generation;
    this.#change(program, state, nothing, { ...this.#moment, generation });
    this.#commits++;
  }

  get #marks(): Marks {
    return this.#options.marks ?? defaultMarks;
  }

  #momentInKernel(): Moment {
    const found = this.#kernel.lookUpTable(table);
    // What the marks of another layout mean is not known: connections are to forget them.
    if (!found || !isOfOurLayout(found, this.#marks)) return { generation: 0, stamp: 0 };
    const judged = this.#kernel.listElements(table, sets.judged);
    const generation = Math.max(0, ...judged.map((element) => generationOf(this.#marks, element)));
    // The last one is that of connections which are kept, and may have been permitted by policies of long ago.
    const isKept = generation === this.#marks.lastGeneration;
    return {
      generation: isKept === (this.#options.keepsConnections ?? false) ? generation : 0,
      stamp: stampIn(this.#marks, this.#kernel.listElements(table, sets.stamp)),
    };
  }
}

/** In words, undefined when there is none. Gives way to others between objects. */
async function unhurriedDifference(image: TableImage, held: TableReading): Promise<string | undefined> {
  const layout = layoutDifference(image, held);
  if (layout !== undefined) return layout;
  for (const difference of differences(image, held)) {
    if (difference) return difference.what;
    await new Promise(setImmediate);
  }
  return undefined;
}

function everythingIn(state: DesiredState): Changes {
  return {
    sets: new Map([...state.sets].map(([id, set]) => [id, wholeSet(set)])),
    policies: new Set(state.policies.keys()),
    endpoints: new Set(state.endpoints.keys()),
    hostEndpoints: new Set(state.hostEndpoints.keys()),
    tunnelEndpoints: new Set(state.tunnelEndpoints.keys()),
    routes: new Set(state.routes.keys()),
    network: new Set(Object.keys(state.network) as NetworkFact[]),
  };
}
