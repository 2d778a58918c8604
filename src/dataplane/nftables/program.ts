// Turns desired state into one transaction on our table, and remembers what the kernel holds once it has accepted it.
// A program begins with an empty table; a new one is begun whenever the kernel's state is in doubt.
import type { Changes, DesiredState } from '../../calc/index.ts';
import { AddressSetProgram } from './address-set-program.ts';
import { EndpointChains } from './endpoint-chains.ts';
import { HostEndpointChains, type HostEndpointOptions } from './host-endpoint-chains.ts';
import type { Isolation } from './isolation.ts';
import { type Generation, judgedElements, markExpressions } from './judgement.ts';
import type { LogOptions } from './log.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { chains, sets } from './names.ts';
import { type Stamp, stampElements, stampSet } from './overtaken.ts';
import {
  defaultPath,
  EndpointPathProgram,
  NetworkSetsProgram,
  type PathOptions,
  pathChains,
  pathRules,
  pathSets,
} from './path/index.ts';
import { PolicyChains } from './policy-chains.ts';
import {
  type SkeletonOptions,
  skeletonChains,
  skeletonRules,
  skeletonSet,
  skeletonSets,
} from './skeleton.ts';
import type { TableWriter } from './table-image.ts';

export interface ProgramOptions extends SkeletonOptions, HostEndpointOptions, LogOptions {
  /** Upstream's defaults when absent. */
  readonly path?: PathOptions;
}

/** Which state of policy a table is in, by the numbers that connections and packets know it by. */
export interface Moment {
  readonly generation: Generation;
  readonly stamp: Stamp;
}

export class Program {
  readonly #options: ProgramOptions;
  readonly #sets: AddressSetProgram;
  readonly #policies: PolicyChains;
  readonly #endpoints: EndpointChains;
  readonly #network = new NetworkSetsProgram();
  readonly #hostEndpoints: HostEndpointChains;
  readonly #paths: EndpointPathProgram;
  #generation: Generation = 0;
  /** The members of the set of stamps. */
  #stamps: ReadonlySet<Stamp> = new Set();
  /** The chains that note judgements. */
  #marking: readonly string[] = [];

  /** `isolation` says which objects are to be closed, because they could not be programmed. */
  constructor(options: ProgramOptions, isolation: Isolation) {
    this.#options = options;
    this.#sets = new AddressSetProgram(isolation);
    const rejects = options.path?.denyAction === 'Reject';
    this.#policies = new PolicyChains(isolation, options, { marks: options.marks, rejects });
    this.#endpoints = new EndpointChains(isolation, options.marks);
    this.#hostEndpoints = new HostEndpointChains(options);
    this.#paths = new EndpointPathProgram(options.path ?? defaultPath, isolation);
  }

  /** Writes what is the same in every table, into an empty one. */
  begin(transaction: TableWriter): void {
    for (const set of [...skeletonSets, ...pathSets]) transaction.addSet(set);
    for (const chain of [...skeletonChains, ...pathChains]) transaction.addChain(chain);
    for (const rule of skeletonRules(this.#options)) transaction.addRule(rule);
    for (const rule of pathRules(this.#options.path ?? defaultPath, this.#marks)) transaction.addRule(rule);
  }

  change(transaction: TableWriter, state: DesiredState, changes: Changes, moment: Moment): void {
    this.#network.change(transaction, state, changes);
    const goneSets = this.#sets.change(transaction, state, changes);
    const goneChains = this.#policies.change(transaction, state, changes);
    this.#endpoints.change(transaction, state, changes);
    this.#hostEndpoints.change(transaction, state, changes);
    this.#paths.change(transaction, state, changes);
    // Only now does nobody refer to them any more.
    for (const chain of goneChains) transaction.flushChain(chain);
    for (const chain of goneChains) transaction.deleteChain(chain);
    for (const name of this.#policies.takeUnusedSets()) transaction.deleteSet(name);
    for (const name of goneSets) transaction.deleteSet(name);
    this.#changeStamp(transaction, moment.stamp, state.hostEndpoints.size > 0);
    this.#changeGeneration(transaction, moment.generation, state.hostEndpoints.size > 0);
  }

  /** Keys of the policies whose rules use a content set. */
  usersOfContent(name: string): string[] {
    return this.#policies.usersOfContent(name);
  }

  /** The present stamp, and on a node without host endpoints that of packets which have none. */
  #changeStamp(transaction: TableWriter, stamp: Stamp, hasHostEndpoints: boolean): void {
    const wanted = new Set(hasHostEndpoints ? [stamp] : [0, stamp]);
    for (const old of this.#stamps.difference(wanted))
      transaction.deleteElements(stampSet, stampElements(this.#marks, old));
    for (const fresh of wanted.difference(this.#stamps))
      transaction.addElements(stampSet, stampElements(this.#marks, fresh));
    this.#stamps = wanted;
  }

  #changeGeneration(transaction: TableWriter, generation: Generation, hasHostEndpoints: boolean): void {
    if (generation === this.#generation) return;
    const judged = skeletonSet(sets.judged);
    const marks = this.#marks;
    transaction.deleteElements(judged, judgedElements(marks, this.#generation));
    transaction.addElements(judged, judgedElements(marks, generation));
    for (const chain of this.#marking) transaction.flushChain(chain);
    this.#marking = [];
    this.#generation = generation;
    if (generation === 0) return;
    const { begin, done } = hasHostEndpoints ? chains.hostMark : chains.mark;
    transaction.addRule({ chain: begin, expressions: markExpressions(marks, 'begin', generation) });
    transaction.addRule({ chain: done, expressions: markExpressions(marks, 'done', generation) });
    this.#marking = [begin, done];
  }

  get #marks(): Marks {
    return this.#options.marks ?? defaultMarks;
  }
}
