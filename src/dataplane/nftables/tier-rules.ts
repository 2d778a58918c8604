// Tiers as chains of rules: every policy of an endpoint is asked in turn.
import type { TierProgram } from '../../calc/index.ts';
import type { Expression } from '../../kernel/index.ts';
import type { Marks } from './marks.ts';
import { counter, goTo, jump } from './matches.ts';
import { ifPassedGoTo } from './pass.ts';

/** Which chains tiers are asked in, by name. */
export interface TierChains {
  /** The chain of a policy by its key. */
  readonly policyOf: (key: string) => string;
  /** The n-th chain of those who ask, from 0. */
  readonly nameOf: (n: number) => string;
  /** The chain that denies. */
  readonly deny: string;
}

/**
 * The rules of each chain. A chain ends, and the next begins, behind a tier that a policy may pass: whoever passes goes there. `last`
 * is what befalls a packet that no tier decides about; what no packet can reach is left out.
 */
export function tierRules(
  tiers: readonly TierProgram[],
  { policyOf, nameOf, deny }: TierChains,
  last: readonly Expression[],
  marks: Marks,
): Expression[][][] {
  const all: Expression[][][] = [[]];
  let rules: Expression[][] = all[0] ?? [];
  for (const { policies, defaultAction } of tiers) {
    const next = nameOf(all.length);
    for (const { key, passes } of policies) {
      rules.push([jump(policyOf(key))]);
      if (passes) rules.push(ifPassedGoTo(marks, next));
    }
    const mayPass = policies.some(({ passes }) => passes);
    if (defaultAction === 'Deny') rules.push([counter, goTo(deny)]);
    else if (mayPass) rules.push([goTo(next)]);
    // No packet gets past a tier that denies what it leaves undecided, unless a policy lets it pass.
    if (defaultAction === 'Deny' && !mayPass) return all;
    if (mayPass) {
      rules = [];
      all.push(rules);
    }
  }
  rules.push([...last]);
  return all;
}
