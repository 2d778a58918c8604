// Calico's Tier as a tier of the rule tree.
import type { Tier as TierObject } from '../../resources/index.ts';
import type { Tier } from '../model.ts';

export function tierOf({ metadata, spec }: TierObject): Tier {
  return {
    name: metadata.name,
    order: spec.order,
    defaultAction: spec.defaultAction === 'Pass' ? 'Pass' : 'Deny',
  };
}
