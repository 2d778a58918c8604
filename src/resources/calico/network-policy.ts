// NetworkPolicy: rules for the pods of one namespace.
import type { Static } from 'typebox';
import { object } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { orderColumn, policyFields, tierColumn, tierField } from './policy/policy-fields.ts';

const spec = object(policyFields({ namespaced: true }));

export interface NetworkPolicy extends Resource {
  spec: Static<typeof spec>;
}

export const networkPolicies = calicoKind<NetworkPolicy>({
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  description: 'Rules for traffic of the pods of one namespace.',
  namespaced: true,
  shortNames: ['cnp', 'caliconetworkpolicy'],
  aliases: ['np', 'nps'],
  columns: [tierColumn, orderColumn],
  selectableFields: [tierField],
  example: {
    metadata: { name: 'allow-web', namespace: 'shop' },
    spec: {
      selector: 'app == "web"',
      types: ['Ingress'],
      ingress: [
        {
          action: 'Allow',
          protocol: 'TCP',
          source: { selector: 'role == "frontend"' },
          destination: { ports: [80, 'metrics'] },
        },
      ],
    },
  },
  spec,
});
