// Which tier, and which policy in a tier, is asked first.
import { type Policy, policyKey, type Tier } from './model.ts';

/** For sorting: by order, those without last, behind them those that nobody has defined; then by name. */
export function compareTiers(a: Tier, b: Tier): number {
  const missing = (tier: Tier) => (tier.isMissing ? 1 : 0);
  return compareOrders(a.order, b.order) || missing(a) - missing(b) || compareText(a.name, b.name);
}

/** For sorting policies of one tier: by order, those without last, then by "name/namespace/kind". */
export function comparePolicies(a: Policy, b: Policy): number {
  return (
    compareOrders(a.order, b.order) ||
    compareText(tieBreaker(a), tieBreaker(b)) ||
    compareText(policyKey(a.id), policyKey(b.id))
  );
}

function compareOrders(a: number | undefined, b: number | undefined): number {
  if (a === b) return 0;
  return (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY);
}

function tieBreaker({ id }: Policy): string {
  return `${id.name}/${id.namespace ?? ''}/${id.kind}`;
}

/** By code units, not by locale: every node must come to the same order. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
