// Tier by tier: the first rule that decides, or the tier's own default where policies of it were asked.
import { type Asked, policiesAsked, type Question } from './asked.ts';
import { tiersOf } from './tiers.ts';

export interface Decided {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Undefined when no tier decides. In the early places, before connections and translation, a tier has no end. */
export function decideByTiers(question: Question): Decided | undefined {
  const { cluster, pod, side, place } = question;
  const hasEnd = place !== 'untracked' && place !== 'preDNAT';
  const asked = policiesAsked(question);
  for (const tier of tiersOf(cluster, new Set(asked.map(({ tier }) => tier)))) {
    const policies = asked.filter((policy) => policy.tier === tier.name).sort(compare);
    let passed = false;
    for (const policy of policies) {
      const found = policy.decide();
      if (!found) continue;
      passed = found.decision === 'Pass';
      if (passed) break;
      const verb = found.decision === 'Allow' ? 'allows' : 'denies';
      return { allowed: found.decision === 'Allow', reason: `${found.rule} of ${policy.name} ${verb} it` };
    }
    if (!passed && hasEnd && tier.defaultAction === 'Deny') {
      const names = policies.map(({ name }) => name).join(', ');
      return {
        allowed: false,
        reason: `"${pod.name}" is selected for ${side} by ${names}, and no rule of theirs allows it`,
      };
    }
  }
  return undefined;
}

function compare(a: Asked, b: Asked): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.sortName < b.sortName ? -1 : 1;
}
