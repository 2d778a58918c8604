// What becomes of an object that says a policy: the policy, and what of the object could not be understood.
import type { Policy } from './model.ts';

export interface ConvertedPolicy {
  readonly policy: Policy;
  /** One sentence per part that could not be understood. Such a part allows nothing; the rest stands. */
  readonly faults: readonly string[];
}
