// ClusterNetworkPolicy: the policy kind of cluster administrators, before or after all NetworkPolicies. Kubernetes serves it
// by a CRD, so its schema stands here; what we could not enforce (domain names) is left out of it.
// Source: https://network-policy-api.sigs.k8s.io/reference/spec/
import type { Static } from 'typebox';
import { tryParseCidr } from '../../net/index.ts';
import { arrayOf, conditions, integer, object, oneOf, optional, ruleFor, string } from '../field.ts';
import { labelSelector } from '../label-selector.ts';
import type { Resource, ResourceKind } from '../resource.ts';

const oneField = { minProperties: 1, maxProperties: 1 } as const;

const pods = object(
  {
    namespaceSelector: optional(labelSelector({ description: 'Selects namespaces; all when absent.' })),
    podSelector: labelSelector({ description: 'Selects pods in them; all when empty.' }),
  },
  { description: 'Pods by their labels and those of their namespaces.' },
);
const namespaces = labelSelector({ description: 'All pods of the namespaces that it selects.' });

const subject = object(
  { namespaces: optional(namespaces), pods: optional(pods) },
  { ...oneField, description: 'The pods that the policy is about.' },
);

const network = string({
  maxLength: 43,
  'x-kubernetes-validations': [
    ruleFor<string>(
      'isCIDR(self)',
      'must be a CIDR, such as "10.0.0.0/8" or "fd00::/64"',
      (text) => tryParseCidr(text) !== undefined,
    ),
  ],
});

const ingressPeer = object({ namespaces: optional(namespaces), pods: optional(pods) }, oneField);
const egressPeer = object(
  {
    namespaces: optional(namespaces),
    pods: optional(pods),
    nodes: optional(labelSelector({ description: 'The nodes that it selects.' })),
    networks: optional(
      arrayOf(network, {
        minItems: 1,
        maxItems: 25,
        'x-kubernetes-list-type': 'set',
        description: 'Addresses in one of these CIDRs.',
      }),
    ),
  },
  oneField,
);

const port = (description: string) => integer({ minimum: 1, maximum: 65535, format: 'int32', description });

function withPort(protocol: string) {
  return object(
    {
      destinationPort: optional(
        object(
          {
            number: optional(port('One port.')),
            range: optional(
              object(
                { start: port('The first port.'), end: port('The last port.') },
                {
                  description: 'Several ports.',
                  'x-kubernetes-validations': [
                    ruleFor<{ start: number; end: number }>(
                      'self.start < self.end',
                      'must have start below end',
                      ({ start, end }) => start < end,
                    ),
                  ],
                },
              ),
            ),
          },
          { ...oneField, description: 'Where it goes.' },
        ),
      ),
    },
    { minProperties: 1, description: `Only ${protocol}.` },
  );
}

const protocol = object(
  {
    tcp: optional(withPort('TCP')),
    udp: optional(withPort('UDP')),
    sctp: optional(withPort('SCTP')),
    destinationNamedPort: optional(string({ description: 'Only the port of this name of the pods.' })),
  },
  oneField,
);

const ruleFields = {
  name: optional(string({ maxLength: 100, description: 'For people: what the rule is called.' })),
  action: oneOf(['Accept', 'Deny', 'Pass'], {
    description: 'Accept and Deny end the matter; Pass goes on with the next tier.',
  }),
  protocols: optional(
    arrayOf(protocol, { minItems: 1, maxItems: 25, description: 'Only these protocols and ports.' }),
  ),
};
const peerCount = { minItems: 1, maxItems: 25 } as const;

const spec = object({
  tier: oneOf(['Admin', 'Baseline'], { description: 'Before all NetworkPolicies, or after them.' }),
  priority: integer({
    minimum: 0,
    maximum: 1000,
    format: 'int32',
    description: 'Place in the tier, lower first.',
  }),
  subject,
  ingress: optional(
    arrayOf(
      object({
        ...ruleFields,
        from: arrayOf(ingressPeer, { ...peerCount, description: 'Where traffic comes from.' }),
      }),
      { maxItems: 25, description: 'Rules for traffic to the pods, in order.' },
    ),
  ),
  egress: optional(
    arrayOf(
      object({
        ...ruleFields,
        to: arrayOf(egressPeer, { ...peerCount, description: 'Where traffic goes.' }),
      }),
      { maxItems: 25, description: 'Rules for traffic from the pods, in order.' },
    ),
  ),
});

const status = object({ conditions: optional(conditions()) });

export type ClusterNetworkPolicySubject = Static<typeof subject>;
export type ClusterNetworkPolicyProtocol = Static<typeof protocol>;

/** Of either direction. `domainNames` are taken by clusters that have the experimental CRD. */
export type ClusterNetworkPolicyPeer = Static<typeof egressPeer> & { domainNames?: string[] };

/** Of either direction: `from` or `to`. */
export interface ClusterNetworkPolicyRule {
  name?: string;
  action: 'Accept' | 'Deny' | 'Pass';
  protocols?: ClusterNetworkPolicyProtocol[];
  from?: ClusterNetworkPolicyPeer[];
  to?: ClusterNetworkPolicyPeer[];
}

export interface ClusterNetworkPolicy extends Resource {
  spec: Static<typeof spec>;
  status?: Static<typeof status>;
}

export const clusterNetworkPolicies: ResourceKind<ClusterNetworkPolicy> = {
  group: 'policy.networking.k8s.io',
  version: 'v1alpha2',
  kind: 'ClusterNetworkPolicy',
  plural: 'clusternetworkpolicies',
  namespaced: false,
  description: "Rules of the cluster's administrators, before or after all NetworkPolicies.",
  // The group's own short name is Calico's for NetworkPolicy too; kubectl then takes whichever group it meets first.
  shortNames: ['cnp'],
  approval: 'https://github.com/kubernetes-sigs/network-policy-api/pull/300',
  columns: [
    { name: 'Tier', jsonPath: '.spec.tier' },
    { name: 'Priority', type: 'integer', jsonPath: '.spec.priority' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  hasStatus: true,
  schema: object({
    spec: { ...spec, description: 'What you ask for.' },
    status: optional({ ...status, description: 'What the network found; not for you to write.' }),
  }),
};
