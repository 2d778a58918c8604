// Tiers as chains of rules: every policy of an endpoint is asked in turn.
import type { TierProgram } from '../../calc/index.ts';
import type { Expression } from '../../kernel/index.ts';
import type { Marks } from './marks.ts';
import { counter, goTo, jump } from './matches.ts';
import { chains } from './names.ts';
import { ifPassedGoTo } from './pass.ts';

/**
 * The rules of each chain; `nameOf` says what the n-th is called, from 0, and `policyOf` the chain of a policy. A chain ends, and the next begins, behind a tier that
 * a policy may pass: whoever passes goes there. `last` is what befalls a packet that no tier decides about, and
 * `deny` the chain for one that a tier denies; what no packet can reach is left out.
 */
export function tierRules(
  tiers: readonly TierProgram[],
  policyOf: (key: string) => string,
  nameOf: (n: number) => string,
  last: readonly Expression[],
  marks: Marks,
  deny: string = chains.deny,
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
