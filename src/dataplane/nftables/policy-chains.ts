// A chain per policy and direction, which all endpoints that the policy selects share.
import type { Changes, DesiredState, PolicyProgram } from '../../calc/index.ts';
import type { Expression } from '../../kernel/index.ts';
import type { Action, Direction } from '../../policy/index.ts';
import { ContentSets } from './content-sets.ts';
import { type Isolation, type Owner, ownedBy } from './isolation.ts';
import { type LogOptions, logExpressions } from './log.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { counter, goTo, type MatchContext, ruleMatches, verdict } from './matches.ts';
import { chains, type PolicyWay, policyChain } from './names.ts';
import { setPass } from './pass.ts';
import type { PathOptions } from './path/index.ts';
import { SetNets } from './set-nets.ts';
import type { TableWriter } from './table-image.ts';
import { viewOf } from './views.ts';

const directions: readonly Direction[] = ['ingress', 'egress'];

/** One of a policy's chains: which half of its rules, and of what they are asked. */
interface PolicyChain {
  readonly name: string;
  readonly direction: Direction;
  /** Undefined for what the policy's stage asks by itself. */
  readonly way: PolicyWay | undefined;
}

interface ChainRule {
  readonly expressions: Expression[];
  readonly comment: string;
}

/** Whoever asks it goes no further. */
const closedPolicy: readonly ChainRule[] = [
  { expressions: [counter, verdict('drop')], comment: 'closed: it cannot be programmed as it stands' },
];

export interface PolicyChainsOptions extends LogOptions {
  /** Upstream's default when absent. */
  readonly marks?: Marks;
  /** Upstream's defaults when absent. */
  readonly path?: PathOptions;
}

export class PolicyChains {
  readonly #contents = new ContentSets();
  readonly #nets = new SetNets();
  readonly #isolation: Isolation;
  readonly #options: PolicyChainsOptions;
  readonly #marks: Marks;
  /** Keys of those that have to deny silently, too; undefined before the first change. */
  #silent: ReadonlySet<string> | undefined;
  /** Of each policy, the names of its chains and of the content sets that their rules use. */
  readonly #written = new Map<
    string,
    { readonly chains: ReadonlySet<string>; readonly uses: readonly string[] }
  >();

  constructor(isolation: Isolation, options: PolicyChainsOptions) {
    this.#isolation = isolation;
    this.#options = options;
    this.#marks = options.marks ?? defaultMarks;
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
    for (const key of changes.policies.union(this.#changeSilent(state, changes))) {
      const program = state.policies.get(key);
      const known = this.#written.get(key);
      if (known) outdated.push(known.uses);
      const before: ReadonlySet<string> = known?.chains ?? new Set();
      const wanted = program ? this.#chainsOf(key, program) : [];
      const names = new Set(wanted.map(({ name }) => name));
      gone.push(...before.difference(names));
      if (!program) {
        this.#written.delete(key);
        continue;
      }
      for (const chain of wanted) {
        const owner: Owner = `policy ${key}`;
        const rules = this.#isolation.isClosed('policy', key)
          ? closedPolicy
          : ownedBy(transaction, owner, () => this.#rules(key, program, chain, context));
        const { name } = chain;
        if (before.has(name)) transaction.flushChain(name);
        else transaction.addChain({ name });
        additions.push(() => {
          transaction.owner = owner;
          for (const rule of rules) transaction.addRule({ chain: name, ...rule });
        });
      }
      this.#written.set(key, { chains: names, uses: this.#contents.takeUses() });
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
    return [...this.#written].flatMap(([key, { uses }]) => (uses.includes(name) ? [key] : []));
  }

  /** Names of sets that no chain refers to any more, when those that are gone have gone. */
  takeUnusedSets(): string[] {
    return this.#contents.takeRemoved();
  }

  /** Returns the keys of those to which it is new that they have to deny silently, and of those that need not any more. */
  #changeSilent({ hostEndpoints }: DesiredState, changes: Changes): ReadonlySet<string> {
    const before = this.#silent;
    if (before && changes.hostEndpoints.size === 0) return new Set();
    const isNeeded = this.#options.path?.denyAction === 'Reject';
    const tiers = isNeeded ? [...hostEndpoints.values()].map(({ normal }) => normal) : [];
    this.#silent = new Set(
      tiers.flatMap(({ ingress, egress }) =>
        [...ingress, ...egress].flatMap(({ policies }) => policies.map(({ key }) => key)),
      ),
    );
    return this.#silent.symmetricDifference(before ?? new Set());
  }

  #chainsOf(key: string, { stage }: PolicyProgram): PolicyChain[] {
    const others: readonly PolicyWay[] =
      stage === 'untracked' ? ['original', 'reply'] : this.#silent?.has(key) ? ['silent'] : [];
    return directions.flatMap((direction) =>
      [undefined, ...others].map((way) => ({ name: policyChain(key, direction, way), direction, way })),
    );
  }

  #rules(
    key: string,
    { stage, tier = '', ...program }: PolicyProgram,
    { direction, way }: PolicyChain,
    context: Omit<MatchContext, 'view'>,
  ): ChainRule[] {
    const allowed = stage === 'untracked' ? goTo(chains.untracked) : verdict('accept');
    const isEarly = stage === 'untracked' || stage === 'preDNAT';
    const denied = goTo(isEarly || way === 'silent' ? chains.denySilently : chains.deny);
    const view = viewOf(stage, way === 'silent' ? undefined : way);
    return program[direction].flatMap(({ action, origin, ...rule }) =>
      ruleMatches({ action, origin, ...rule }, { ...context, view }).map((matches) => ({
        expressions: [
          ...matches,
          counter,
          ...this.#verdict(action, { allowed, denied }, () => logExpressions(key, tier, this.#options)),
        ],
        comment: origin,
      })),
    );
  }

  #verdict(
    action: Action,
    { allowed, denied }: { readonly allowed: Expression; readonly denied: Expression },
    log: () => Expression[],
  ): Expression[] {
    switch (action) {
      case 'Allow':
        return [allowed];
      case 'Deny':
        return [denied];
      case 'Pass':
        return [...setPass(this.#marks), verdict('return')];
      case 'Log':
        return log();
    }
  }
}
