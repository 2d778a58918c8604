// Tier: a group of policies that is judged as a whole, before or after other groups.
import type { Static } from 'typebox';
import { conditions, number, object, optional, type Rule, ruleFor, word } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { orderColumn } from './policy/policy-fields.ts';

const spec = object({
  order: optional(number({ description: 'Place among the tiers, lower first; the last when absent.' })),
  defaultAction: optional(
    word(['Pass', 'Deny'], {
      default: 'Deny',
      description: 'What becomes of traffic that policies of the tier are about and no rule matched.',
    }),
  ),
});

const status = object({ conditions: optional(conditions()) });

export interface Tier extends Resource {
  spec: Static<typeof spec>;
  status?: Static<typeof status>;
}

/** Every cluster has these, and the order among them is part of what policies mean. */
const builtIn = [
  ['kube-admin', 1000, 'Pass'],
  ['default', 1000000, 'Deny'],
  ['kube-baseline', 10000000, 'Pass'],
] as const;

const rules: Rule[] = [
  ruleFor<Tier>(
    "!self.metadata.name.contains('.')",
    'must have a name without dots',
    ({ metadata }) => !metadata.name.includes('.'),
  ),
  ...builtIn.map(([name, order, action]) =>
    ruleFor<Tier>(
      `self.metadata.name != '${name}' || has(self.spec.order) && self.spec.order == ${order}.0 && ` +
        `has(self.spec.defaultAction) && self.spec.defaultAction == '${action}'`,
      `must have order ${order} and defaultAction ${action}, as every cluster's tier "${name}"`,
      ({ metadata, spec: { order: actual, defaultAction = 'Deny' } }) =>
        metadata.name !== name || (actual === order && defaultAction === action),
    ),
  ),
];

export const tiers = calicoKind<Tier>({
  kind: 'Tier',
  plural: 'tiers',
  description: 'A group of policies that is judged as a whole, before or after other groups.',
  columns: [
    orderColumn,
    { name: 'DefaultAction', jsonPath: '.spec.defaultAction' },
    { name: 'Status', jsonPath: ".status.conditions[?(@.type=='Ready')].reason" },
  ],
  rules,
  example: {
    metadata: { name: 'security' },
    spec: { order: 100, defaultAction: 'Pass' },
  },
  spec,
  status,
});
