// StagedKubernetesNetworkPolicy: a Kubernetes NetworkPolicy to try out. It is judged and reported, and never enforced.
// Its published lists have no bounds, so what stands in them is checked here and not by CEL, which would cost too much.
import type { Static } from 'typebox';
import { tryParseCidr } from '../../net/index.ts';
import { arrayOf, integer, object, optional, plainIntegerOrString, string, word } from '../field.ts';
import { labelSelector } from '../label-selector.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { deleteSaysNothingElse, stagedAction } from './policy/staged-action.ts';

const atomic = { 'x-kubernetes-list-type': 'atomic' } as const;

function cidrFault(text: unknown): string | undefined {
  return tryParseCidr(String(text)) ? undefined : 'must be a CIDR, such as "10.0.0.0/8" or "fd00::/64"';
}

function protocolFault(protocol: unknown): string | undefined {
  return ['TCP', 'UDP', 'SCTP'].includes(String(protocol)) ? undefined : 'must be TCP, UDP or SCTP';
}

function portFault(value: unknown): string | undefined {
  const { port, endPort } = value as { port?: number | string; endPort?: number };
  if (endPort === undefined || (typeof port === 'number' && port <= endPort)) return undefined;
  return 'cannot have an endPort without a numeric port that is not above it';
}

function peerFault(value: unknown): string | undefined {
  const { podSelector, namespaceSelector, ipBlock } = value as Record<string, unknown>;
  const selects = podSelector !== undefined || namespaceSelector !== undefined;
  return selects === (ipBlock !== undefined)
    ? 'must have either ipBlock, or podSelector or namespaceSelector or both'
    : undefined;
}

const ports = optional(
  arrayOf(
    object(
      {
        protocol: optional(
          string({ check: protocolFault, description: 'TCP, UDP or SCTP; TCP when absent.' }),
        ),
        port: optional(
          plainIntegerOrString({
            description: 'A number, or the name of a port of the pods; any when absent.',
          }),
        ),
        endPort: optional(
          integer({ format: 'int32', description: 'Last port of a range that begins at `port`.' }),
        ),
      },
      { check: portFault },
    ),
    { ...atomic, description: 'Only these ports; any when empty.' },
  ),
);

const ipBlock = object(
  {
    cidr: string({ check: cidrFault, description: 'The network.' }),
    except: optional(
      arrayOf(string({ check: cidrFault }), {
        ...atomic,
        description: 'Networks within it that are left out.',
      }),
    ),
  },
  { description: 'Addresses, mostly outside of the cluster.' },
);

const peer = object(
  {
    podSelector: optional(labelSelector({ description: 'Selects pods.' })),
    namespaceSelector: optional(
      labelSelector({ description: "Selects their namespaces; the policy's own when absent." }),
    ),
    ipBlock: optional(ipBlock),
  },
  { check: peerFault },
);

const rest = {
  podSelector: optional(labelSelector({ description: 'The pods that the policy is about; all when empty.' })),
  policyTypes: optional(
    arrayOf(word(['Ingress', 'Egress']), {
      minItems: 1,
      maxItems: 2,
      'x-kubernetes-list-type': 'set',
      description: 'The directions that the policy is about.',
    }),
  ),
  ingress: optional(
    arrayOf(
      object({
        from: optional(arrayOf(peer, { ...atomic, description: 'Only from these peers; any when empty.' })),
        ports,
      }),
      { ...atomic, description: 'What may reach the pods.' },
    ),
  ),
  egress: optional(
    arrayOf(
      object({
        to: optional(arrayOf(peer, { ...atomic, description: 'Only to these peers; any when empty.' })),
        ports,
      }),
      { ...atomic, description: 'What the pods may reach.' },
    ),
  ),
};

const spec = object(
  { stagedAction, ...rest },
  { 'x-kubernetes-validations': [deleteSaysNothingElse(Object.keys(rest), ['podSelector'])] },
);

export interface StagedKubernetesNetworkPolicy extends Resource {
  spec: Static<typeof spec>;
}

export const stagedKubernetesNetworkPolicies = calicoKind<StagedKubernetesNetworkPolicy>({
  kind: 'StagedKubernetesNetworkPolicy',
  plural: 'stagedkubernetesnetworkpolicies',
  description: 'A Kubernetes NetworkPolicy to try out: it is judged and reported, and never enforced.',
  namespaced: true,
  shortNames: ['sknp'],
  example: {
    metadata: { name: 'deny-all', namespace: 'shop' },
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  },
  spec,
});
