// GlobalNetworkPolicy: rules for pods of all namespaces, and for host endpoints.
import type { Static } from 'typebox';
import { object } from '../field.ts';
import type { Resource } from '../resource.ts';
import { ageColumn, calicoKind } from './calico-kind.ts';
import { hostEndpointFields, hostEndpointRules } from './policy/host-endpoint-fields.ts';
import {
  globalPolicyFields,
  orderColumn,
  policyFields,
  tierColumn,
  tierField,
} from './policy/policy-fields.ts';

const spec = object(
  { ...policyFields({ namespaced: false }), ...globalPolicyFields, ...hostEndpointFields },
  { 'x-kubernetes-validations': hostEndpointRules },
);

export interface GlobalNetworkPolicy extends Resource {
  spec: Static<typeof spec>;
}

export const globalNetworkPolicies = calicoKind<GlobalNetworkPolicy>({
  kind: 'GlobalNetworkPolicy',
  plural: 'globalnetworkpolicies',
  description: 'Rules for traffic of pods in all namespaces, and of host endpoints.',
  shortNames: ['gnp', 'cgnp'],
  aliases: ['gnps'],
  columns: [tierColumn, orderColumn, ageColumn],
  selectableFields: [tierField],
  example: {
    metadata: { name: 'deny-metadata-service' },
    spec: {
      tier: 'security',
      order: 10,
      namespaceSelector: 'all()',
      types: ['Egress'],
      egress: [{ action: 'Deny', destination: { nets: ['169.254.169.254/32'] } }, { action: 'Pass' }],
    },
  },
  spec,
});
