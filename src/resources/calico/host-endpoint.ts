// HostEndpoint: an interface of a node itself, so that policies can be about it.
import type { Static } from 'typebox';
import { tryParseAddress } from '../../net/index.ts';
import { arrayOf, integer, object, optional, type Rule, ruleFor, string } from '../field.ts';
import type { Resource } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';
import { portProtocol } from './policy/protocol-field.ts';

const port = object({
  name: string({ description: 'What rules call the port.' }),
  protocol: portProtocol({ description: 'TCP, UDP or SCTP.' }),
  port: integer({ minimum: 1, maximum: 65535, description: 'The number.' }),
});

interface Place {
  node?: string;
  interfaceName?: string;
  expectedIPs?: string[];
}

const rules: Rule[] = [
  ruleFor<Place>("has(self.node) && self.node != ''", 'needs a node', ({ node }) => Boolean(node)),
  ruleFor<Place>(
    "has(self.interfaceName) && self.interfaceName != '' || has(self.expectedIPs) && size(self.expectedIPs) > 0",
    'needs interfaceName or expectedIPs, to say which interface it is',
    ({ interfaceName, expectedIPs = [] }) => Boolean(interfaceName) || expectedIPs.length > 0,
  ),
];

function addressFault(text: unknown): string | undefined {
  return tryParseAddress(String(text)) ? undefined : 'must be an address, such as "10.0.0.1" or "fd00::1"';
}

function interfaceFault(name: unknown): string | undefined {
  return /^(\*|[a-zA-Z0-9_.-]+)?$/.test(String(name))
    ? undefined
    : 'must be the name of an interface, or "*" for all of them';
}

const spec = object(
  {
    node: optional(string({ maxLength: 253, description: 'The node that the interface belongs to.' })),
    interfaceName: optional(
      string({
        maxLength: 15,
        check: interfaceFault,
        description: 'Name of the interface; "*" stands for all interfaces of the node together.',
      }),
    ),
    expectedIPs: optional(
      arrayOf(string({ check: addressFault }), {
        'x-kubernetes-list-type': 'set',
        description: 'Addresses of the interface, which find it when no name is given and which rules use.',
      }),
    ),
    profiles: optional(
      arrayOf(string(), {
        'x-kubernetes-list-type': 'set',
        description:
          'Profiles that are judged when no policy has decided. "kns.NAMESPACE" and "ksa.NAMESPACE.NAME" lend it labels.',
      }),
    ),
    ports: optional(
      arrayOf(port, {
        'x-kubernetes-list-type': 'atomic',
        description: 'Names for ports, for rules to use.',
      }),
    ),
  },
  { 'x-kubernetes-validations': rules },
);

export interface HostEndpoint extends Resource {
  spec: Static<typeof spec>;
}

export const hostEndpoints = calicoKind<HostEndpoint>({
  kind: 'HostEndpoint',
  plural: 'hostendpoints',
  description: 'An interface of a node itself, so that policies can be about it.',
  shortNames: ['hep', 'heps'],
  columns: [
    { name: 'Node', jsonPath: '.spec.node' },
    { name: 'Interface', jsonPath: '.spec.interfaceName' },
  ],
  example: {
    metadata: { name: 'node-1-eth0', labels: { role: 'worker' } },
    spec: { node: 'node-1', interfaceName: 'eth0', expectedIPs: ['10.0.0.1'] },
  },
  spec,
});
