// StagedNetworkPolicy: a NetworkPolicy to try out. It is judged and reported, and never enforced.
import type { Static } from 'typebox';
import { object } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { orderColumn, policyFields, tierColumn, tierField } from './policy/policy-fields.ts';
import { deleteSaysNothingElse, stagedAction } from './policy/staged-action.ts';

const { tier, ...rest } = policyFields({ namespaced: true });

const spec = object(
  { stagedAction, tier, ...rest },
  { 'x-kubernetes-validations': [deleteSaysNothingElse(Object.keys(rest), ['order'])] },
);

export interface StagedNetworkPolicy extends Resource {
  spec: Static<typeof spec>;
}

export const stagedNetworkPolicies = calicoKind<StagedNetworkPolicy>({
  kind: 'StagedNetworkPolicy',
  plural: 'stagednetworkpolicies',
  description: 'A NetworkPolicy to try out: it is judged and reported, and never enforced.',
  namespaced: true,
  shortNames: ['scnp', 'snp'],
  columns: [tierColumn, orderColumn],
  selectableFields: [tierField],
  example: {
    metadata: { name: 'only-web', namespace: 'shop' },
    spec: { selector: 'app == "db"', ingress: [{ action: 'Allow', source: { selector: 'app == "web"' } }] },
  },
  spec,
});
