// What a staged policy is a draft of: setting a policy, or deleting one.
import { oneOf, optional, type Rule, ruleFor } from '../../field.ts';
import { isPresent } from './entity-rule.ts';

export const stagedAction = optional(
  oneOf(['Set', 'Delete', 'Learn', 'Ignore'], {
    default: 'Set',
    description: 'What the draft does to the policy of the same name: Set replaces it, Delete removes it.',
  }),
);

/** With Delete nothing else is left to say but the tier. `unsized` are the fields that cannot be empty. */
export function deleteSaysNothingElse(fields: readonly string[], unsized: readonly string[] = []): Rule {
  const said = fields.map((field) =>
    unsized.includes(field) ? `has(self.${field})` : `has(self.${field}) && size(self.${field}) > 0`,
  );
  return ruleFor<Record<string, unknown>>(
    `!has(self.stagedAction) || self.stagedAction != 'Delete' || !(${said.join(' || ')})`,
    'cannot say anything but the tier when stagedAction is Delete',
    (spec) => spec.stagedAction !== 'Delete' || !fields.some((field) => isPresent(spec[field])),
  );
}
