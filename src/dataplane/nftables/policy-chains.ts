// A chain per policy and direction, which all endpoints that the policy selects share.
import type { Changes, DesiredState, PolicyProgram } from '../../calc/index.ts';
import type { Expression } from '../../kernel/index.ts';
import type { Action, Direction } from '../../policy/index.ts';
import { ContentSets } from './content-sets.ts';
import { type Isolation, type Owner, ownedBy } from './isolation.ts';
import { type LogOptions, logExpressions } from './log.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { counter, goTo, type MatchContext, ruleMatches, verdict } from './matches.ts';
import { chains, policyChain } from './names.ts';
import { setPass } from './pass.ts';
import { SetNets } from './set-nets.ts';
import type { TableWriter } from './table-image.ts';
import { viewOf } from './views.ts';

const directions: readonly Direction[] = ['ingress', 'egress'];

interface ChainRule {
  readonly expressions: Expression[];
  readonly comment: string;
}

/** Whoever asks it goes no further. */
const closedPolicy: readonly ChainRule[] = [
  { expressions: [counter, verdict('drop')], comment: 'closed: it cannot be programmed as it stands' },
];

export class PolicyChains {
  readonly #contents = new ContentSets();
  readonly #nets = new SetNets();
  readonly #isolation: Isolation;
  readonly #log: LogOptions;
  readonly #marks: Marks;
  /** Content sets that each policy's rules use. */
  readonly #uses = new Map<string, readonly string[]>();

  constructor(isolation: Isolation, log: LogOptions, marks = defaultMarks) {
    this.#isolation = isolation;
    this.#log = log;
    this.#marks = marks;
  }

  /** Returns the names of chains that have to go when nobody refers to them any more. */
  change(transaction: TableWriter, state: DesiredState, changes: Changes): string[] {
    this.#nets.forget(changes);
    const context: Omit<MatchContext, 'view'> = {
      contents: this.#contents,
      nets: (set, family) => this.#nets.of(set, family, state),
    };
    const gone: string[] = [];
    const outdated: (readonly string[])[] = [];
    const additions: (() => void)[] = [];
    for (const key of changes.policies) {
      const program = state.policies.get(key);
      const known = this.#uses.get(key);
      if (known) outdated.push(known);
      if (!program) {
        if (known) gone.push(...directions.map((direction) => policyChain(key, direction)));
        this.#uses.delete(key);
        continue;
      }
      for (const direction of directions) {
        const chain = policyChain(key, direction);
        const owner: Owner = `policy ${key}`;
        const rules = this.#isolation.isClosed('policy', key)
          ? closedPolicy
          : ownedBy(transaction, owner, () => this.#rules(key, program, direction, context));
        if (known) transaction.flushChain(chain);
        else transaction.addChain({ name: chain });
        additions.push(() => {
          transaction.owner = owner;
          for (const rule of rules) transaction.addRule({ chain, ...rule });
        });
      }
      this.#uses.set(key, this.#contents.takeUses());
    }
    for (const names of outdated) this.#contents.release(names);
    // Sets first: a rule cannot speak of one that is not there.
    for (const { set, elements } of this.#contents.takeAdded()) {
      transaction.owner = `content ${set.name}` satisfies Owner;
      transaction.addSet(set);
      transaction.addElements(set, elements);
    }
    for (const add of additions) add();
    transaction.owner = undefined;
    return gone;
  }

  /** Keys of the policies whose rules use a content set. */
  usersOfContent(name: string): string[] {
    return [...this.#uses].flatMap(([key, names]) => (names.includes(name) ? [key] : []));
  }

  /** Names of sets that no chain refers to any more, when those that are gone have gone. */
  takeUnusedSets(): string[] {
    return this.#contents.takeRemoved();
  }

  #rules(
    key: string,
    { stage, tier = '', ...program }: PolicyProgram,
    direction: Direction,
    context: Omit<MatchContext, 'view'>,
  ): ChainRule[] {
    const allowed = stage === 'untracked' ? goTo(chains.untracked) : verdict('accept');
    return program[direction].flatMap(({ action, origin, ...rule }) =>
      ruleMatches({ action, origin, ...rule }, { ...context, view: viewOf(stage) }).map((matches) => ({
        expressions: [
          ...matches,
          counter,
          ...this.#verdict(action, allowed, () => logExpressions(key, tier, this.#log)),
        ],
        comment: origin,
      })),
    );
  }

  #verdict(action: Action, allowed: Expression, log: () => Expression[]): Expression[] {
    switch (action) {
      case 'Allow':
        return [allowed];
      case 'Deny':
        return [goTo(chains.deny)];
      case 'Pass':
        return [...setPass(this.#marks), verdict('return')];
      case 'Log':
        return log();
    }
  }
}
