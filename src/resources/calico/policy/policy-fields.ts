// The fields that all of Calico's policies share, staged ones too. What only some have stands in their own files.
import { arrayOf, number, oneOf, optional, string } from '../../field.ts';
import { selector } from '../selector-field.ts';
import { rule } from './rule.ts';

/** @param scope whether the policy itself has a namespace, which its rules then look at first. */
export function policyFields(scope: { namespaced: boolean }) {
  return {
    tier: optional(
      string({ default: 'default', description: 'The tier that the policy belongs to; it must exist.' }),
    ),
    order: optional(
      number({ description: 'Place among the policies of the tier, lower first; the last when absent.' }),
    ),
    selector: optional(
      selector({ description: 'The endpoints that the policy is about; all of its scope when absent.' }),
    ),
    serviceAccountSelector: optional(
      selector({ description: 'Narrows them to pods whose service account it selects.' }),
    ),
    types: optional(
      arrayOf(oneOf(['Ingress', 'Egress']), {
        minItems: 1,
        maxItems: 2,
        'x-kubernetes-list-type': 'set',
        description:
          'The directions that the policy is about; when absent, those that it has rules for, and Ingress when it has none.',
      }),
    ),
    ingress: optional(
      arrayOf(rule('ingress', scope), {
        maxItems: 1024,
        'x-kubernetes-list-type': 'atomic',
        description: 'Rules for traffic to the endpoints, in order; the first that matches decides.',
      }),
    ),
    egress: optional(
      arrayOf(rule('egress', scope), {
        maxItems: 1024,
        'x-kubernetes-list-type': 'atomic',
        description: 'Rules for traffic from the endpoints, in order; the first that matches decides.',
      }),
    ),
    performanceHints: optional(
      arrayOf(oneOf(['AssumeNeededOnEveryNode']), {
        'x-kubernetes-list-type': 'set',
        description: 'Hints that may make the policy quicker and never change what it does.',
      }),
    ),
  };
}

/** What a cluster-wide policy has besides. */
export const globalPolicyFields = {
  namespaceSelector: optional(
    selector({ description: 'Narrows the policy to pods of the namespaces that it selects.' }),
  ),
};

/** Columns and selectable field of every policy that stands in a tier. */
export const tierColumn = { name: 'Tier', jsonPath: '.spec.tier' } as const;
export const orderColumn = { name: 'Order', type: 'number', jsonPath: '.spec.order' } as const;
export const tierField = '.spec.tier';
