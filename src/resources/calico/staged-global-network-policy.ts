// StagedGlobalNetworkPolicy: a GlobalNetworkPolicy to try out. It is judged and reported, and never enforced.
import type { Static } from 'typebox';
import { object } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { hostEndpointFields, hostEndpointRules } from './policy/host-endpoint-fields.ts';
import {
  globalPolicyFields,
  orderColumn,
  policyFields,
  tierColumn,
  tierField,
} from './policy/policy-fields.ts';
import { deleteSaysNothingElse, stagedAction } from './policy/staged-action.ts';

const { tier, ...shared } = policyFields({ namespaced: false });
const rest = { ...shared, ...globalPolicyFields, ...hostEndpointFields };

const spec = object(
  { stagedAction, tier, ...rest },
  {
    'x-kubernetes-validations': [
      ...hostEndpointRules,
      deleteSaysNothingElse(Object.keys(rest), ['order', ...Object.keys(hostEndpointFields)]),
    ],
  },
);

export interface StagedGlobalNetworkPolicy extends Resource {
  spec: Static<typeof spec>;
}

export const stagedGlobalNetworkPolicies = calicoKind<StagedGlobalNetworkPolicy>({
  kind: 'StagedGlobalNetworkPolicy',
  plural: 'stagedglobalnetworkpolicies',
  description: 'A GlobalNetworkPolicy to try out: it is judged and reported, and never enforced.',
  shortNames: ['sgnp'],
  columns: [tierColumn, orderColumn],
  selectableFields: [tierField],
  example: {
    metadata: { name: 'old-rules' },
    spec: { stagedAction: 'Delete', tier: 'default' },
  },
  spec,
});
