// The tiers that policies were asked in, in the order in which they have their say.
import type { Cluster } from './cluster.ts';

export interface PlainTier {
  readonly name: string;
  readonly order: number;
  readonly defaultAction: 'Deny' | 'Pass';
}

const builtIn: readonly PlainTier[] = [
  { name: 'kube-admin', order: 1000, defaultAction: 'Pass' },
  { name: 'default', order: 1_000_000, defaultAction: 'Deny' },
  { name: 'kube-baseline', order: 10_000_000, defaultAction: 'Pass' },
];

/** One that nobody has defined comes last and denies. */
export function tiersOf({ tiers = [] }: Cluster, names: ReadonlySet<string>): PlainTier[] {
  // Behind those that are defined without an order, whatever their names.
  const undefinedOne = Number.POSITIVE_INFINITY;
  const last = Number.MAX_VALUE;
  return [...names]
    .map((name): PlainTier => {
      const object = tiers.find(({ metadata }) => metadata.name === name);
      if (object)
        return {
          name,
          order: object.spec.order ?? last,
          defaultAction: object.spec.defaultAction === 'Pass' ? 'Pass' : 'Deny',
        };
      return (
        builtIn.find((tier) => tier.name === name) ?? { name, order: undefinedOne, defaultAction: 'Deny' }
      );
    })
    .sort((a, b) => (a.order !== b.order ? (a.order < b.order ? -1 : 1) : a.name < b.name ? -1 : 1));
}
