// A chain per policy and direction, which all endpoints that the policy selects share.
import type { Changes, DesiredState, PolicyProgram } from '../../calc/index.ts';
import type { Expression } from '../../kernel/index.ts';
import type { Action, Direction } from '../../policy/index.ts';
import { ContentSets } from './content-sets.ts';
import { type Isolation, type Owner, ownedBy } from './isolation.ts';
import { type LogOptions, logExpressions } from './log.ts';
import { defaultMarks, type Marks } from './marks.ts';
import { counter, goTo, type MatchContext, ruleMatches, verdict } from './matches.ts';
import { chains, type PolicyVariant, policyChain } from './names.ts';
import { setPass } from './pass.ts';
import { SetNets } from './set-nets.ts';
import type { TableWriter } from './table-image.ts';
import { viewOf } from './views.ts';

const directions: readonly Direction[] = ['ingress', 'egress'];

/** One of a policy's chains: which half of its rules, and of what they are asked. */
interface PolicyChain {
  readonly name: string;
  readonly direction: Direction;
  /** Undefined for what the policy's stage asks by itself. */
  readonly variant: PolicyVariant | undefined;
}

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
  readonly #rejects: boolean;
  /** Those that have a chain besides which rejects nothing. */
  #silent: ReadonlySet<string> = new Set();
  /** Of each policy, the names of its chains and of the content sets that their rules use. */
  readonly #written = new Map<
    string,
    { readonly chains: ReadonlySet<string>; readonly uses: readonly string[] }
  >();

  /** `rejects` tells whether what is denied is rejected where that can be. */
  constructor(
    isolation: Isolation,
    log: LogOptions,
    {
      marks = defaultMarks,
      rejects = false,
    }: { readonly marks?: Marks | undefined; readonly rejects?: boolean } = {},
  ) {
    this.#isolation = isolation;
    this.#log = log;
    this.#marks = marks;
    this.#rejects = rejects;
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
    const silent = this.#rejects ? askedWhenTranslated(state) : this.#silent;
    const due = changes.policies.union(silent.symmetricDifference(this.#silent));
    this.#silent = silent;
    for (const key of due) {
      const program = state.policies.get(key);
      const known = this.#written.get(key);
      if (known) outdated.push(known.uses);
      const before: ReadonlySet<string> = known?.chains ?? new Set();
      const wanted = program ? chainsOf(key, program, silent.has(key)) : [];
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

  #rules(
    key: string,
    { stage, tier = '', ...program }: PolicyProgram,
    { direction, variant }: PolicyChain,
    context: Omit<MatchContext, 'view'>,
  ): ChainRule[] {
    const allowed = stage === 'untracked' ? goTo(chains.untracked) : verdict('accept');
    // As where the packet is asked first, before anything could be rejected.
    const isSilent = stage !== undefined || variant === 'silent';
    const denied = goTo(isSilent ? chains.denySilently : chains.deny);
    const view = viewOf(stage, variant === 'silent' ? undefined : variant);
    return program[direction].flatMap(({ action, origin, ...rule }) =>
      ruleMatches({ action, origin, ...rule }, { ...context, view }).map((matches) => ({
        expressions: [
          ...matches,
          counter,
          ...this.#verdict(action, { allowed, denied }, () => logExpressions(key, tier, this.#log)),
        ],
        comment: origin,
      })),
    );
  }

  #verdict(
    action: Action,
    { allowed, denied }: Readonly<Record<'allowed' | 'denied', Expression>>,
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

function chainsOf(key: string, { stage }: PolicyProgram, isSilentToo: boolean): PolicyChain[] {
  const variants: (PolicyVariant | undefined)[] = [
    undefined,
    ...(stage === 'untracked' ? (['original', 'reply'] as const) : []),
    ...(isSilentToo ? (['silent'] as const) : []),
  ];
  return directions.flatMap((direction) =>
    variants.map((variant) => ({ name: policyChain(key, direction, variant), direction, variant })),
  );
}

/** Keys of the policies of which host endpoints ask what was translated on its way out. */
function askedWhenTranslated({ hostEndpoints }: DesiredState): Set<string> {
  const tiers = [...hostEndpoints.values()].flatMap(({ preDNAT, normal }) => [
    ...preDNAT,
    ...normal.ingress,
    ...normal.egress,
  ]);
  return new Set(tiers.flatMap(({ policies }) => policies.map(({ key }) => key)));
}
