// BGPConfiguration: how nodes speak BGP: "default" for the cluster, "node.NAME" for one node.
import type { Static } from 'typebox';
import { tryParseAddress } from '../../net/index.ts';
import {
  arrayOf,
  boolean,
  type FieldOptions,
  integer,
  object,
  oneOf,
  optional,
  type Rule,
  ruleFor,
  string,
} from '../field.ts';
import type { Resource } from '../resource.ts';
import { asNumber } from './bgp/as-number-field.ts';
import { routePriority } from './bgp/route-priority-field.ts';
import { calicoKind } from './calico-kind.ts';
import { duration } from './duration-field.ts';
import { password } from './secret-key-ref.ts';

const atomic = { 'x-kubernetes-list-type': 'atomic' } as const;
const atomicMap = { 'x-kubernetes-map-type': 'atomic' } as const;

const community = object(
  {
    name: optional(string({ maxLength: 253, description: 'What `prefixAdvertisements` call it.' })),
    value: optional(
      string({
        maxLength: 40,
        pattern: '^(\\d+):(\\d+)$|^(\\d+):(\\d+):(\\d+)$',
        patternMessage: 'must be a community, such as "65000:100" or "65000:100:200"',
        description: 'A standard community "65000:100", or a large one "65000:100:200".',
      }),
    ),
  },
  atomicMap,
);

const advertisement = object(
  {
    cidr: optional(string({ format: 'cidr', description: 'Routes in this range carry the communities.' })),
    communities: optional(
      arrayOf(string(), {
        maxItems: 50,
        ...atomic,
        description: 'Names from `communities`, or values "65000:100".',
      }),
    ),
  },
  atomicMap,
);

function serviceRanges(description: string) {
  return optional(
    arrayOf(object({ cidr: optional(string({ format: 'cidr', description: 'The range.' })) }, atomicMap), {
      ...atomic,
      description,
    }),
  );
}

function addressOf(family: 4 | 6, options: FieldOptions) {
  const check = (text: unknown) =>
    tryParseAddress(String(text))?.family === family ? undefined : `must be an IPv${family} address`;
  return optional(string({ check, ...options }));
}

interface MeshFields {
  nodeToNodeMeshEnabled?: boolean;
  nodeMeshPassword?: object;
  nodeMeshMaxRestartTime?: string;
  communities?: { name?: string }[];
  prefixAdvertisements?: { communities?: string[] }[];
}

const meshOff = 'has(self.nodeToNodeMeshEnabled) && !self.nodeToNodeMeshEnabled';

const specRules: Rule[] = [
  ruleFor<MeshFields>(
    `!has(self.nodeMeshPassword) || !(${meshOff})`,
    'cannot have a nodeMeshPassword while nodeToNodeMeshEnabled is false',
    (spec) => spec.nodeMeshPassword === undefined || spec.nodeToNodeMeshEnabled !== false,
  ),
  ruleFor<MeshFields>(
    `!has(self.nodeMeshMaxRestartTime) || !(${meshOff})`,
    'cannot have a nodeMeshMaxRestartTime while nodeToNodeMeshEnabled is false',
    (spec) => spec.nodeMeshMaxRestartTime === undefined || spec.nodeToNodeMeshEnabled !== false,
  ),
  ruleFor<MeshFields>(
    '!has(self.communities) || size(self.communities) == 0 || ' +
      'has(self.prefixAdvertisements) && size(self.prefixAdvertisements) > 0',
    'cannot have communities without prefixAdvertisements that use them',
    ({ communities = [], prefixAdvertisements = [] }) =>
      communities.length === 0 || prefixAdvertisements.length > 0,
  ),
];

/** Not for CEL: it compares every name with every name. */
function unknownCommunity(value: unknown): string | undefined {
  const { communities = [], prefixAdvertisements = [] } = value as MeshFields;
  const known = new Set(communities.map(({ name }) => name));
  const unknown = prefixAdvertisements
    .flatMap((advertised) => advertised.communities ?? [])
    .find((name) => !known.has(name) && !/^\d+:\d+(:\d+)?$/.test(name));
  return unknown === undefined
    ? undefined
    : `cannot advertise "${unknown}", which is neither the name of a community nor a value like "65000:100"`;
}

const spec = object(
  {
    asNumber: optional(asNumber({ description: "The nodes' autonomous system; 64512 when absent." })),
    bindMode: optional(
      oneOf(['None', 'NodeIP'], {
        description: 'Whether BIRD listens on all addresses or on that of the node alone.',
      }),
    ),
    communities: optional(
      arrayOf(community, { maxItems: 500, ...atomic, description: 'Names for BGP communities.' }),
    ),
    ignoredInterfaces: optional(
      arrayOf(string(), {
        'x-kubernetes-list-type': 'set',
        description: 'Interfaces whose networks are not advertised; "*" stands for any characters.',
      }),
    ),
    ipv4NormalRoutePriority: optional(
      routePriority({ description: 'Priority of ordinary IPv4 routes in the kernel; 1024 when absent.' }),
    ),
    ipv6NormalRoutePriority: optional(
      routePriority({ description: 'Priority of ordinary IPv6 routes in the kernel; 1024 when absent.' }),
    ),
    listenPort: optional(
      integer({ minimum: 1, maximum: 65535, description: 'Port of BGP; 179 when absent.' }),
    ),
    localWorkloadPeeringIPV4: addressOf(4, {
      description: 'Address at which pods of the node reach it to speak BGP over IPv4.',
    }),
    localWorkloadPeeringIPV6: addressOf(6, {
      description: 'Address at which pods of the node reach it to speak BGP over IPv6.',
    }),
    logSeverityScreen: optional(
      string({
        default: 'Info',
        pattern: '^(?i)(Trace|Debug|Info|Warning|Error|Fatal)?$',
        patternMessage: 'must be one of "Trace", "Debug", "Info", "Warning", "Error", "Fatal"',
        description: 'Least severity that BIRD and its configuration report.',
      }),
    ),
    nodeMeshMaxRestartTime: optional(
      duration({ description: 'How long routes outlive a restart within the mesh; "120s" when absent.' }),
    ),
    nodeMeshPassword: optional(password('Password of the sessions of the mesh.')),
    nodeToNodeMeshEnabled: optional(
      boolean({ description: 'Whether every node peers with every other; true when absent.' }),
    ),
    prefixAdvertisements: optional(
      arrayOf(advertisement, {
        maxItems: 500,
        ...atomic,
        description: 'Which routes carry which communities.',
      }),
    ),
    programClusterRoutes: optional(
      oneOf(['Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly'], {
        description: 'For which pools BIRD writes routes between nodes; EnabledNoEncapOnly when absent.',
      }),
    ),
    serviceClusterIPs: serviceRanges('Ranges of cluster addresses of services to advertise.'),
    serviceExternalIPs: serviceRanges('Ranges of external addresses of services to advertise.'),
    serviceLoadBalancerAggregation: optional(
      oneOf(['Enabled', 'Disabled'], {
        default: 'Enabled',
        description: 'Whether load balancer ranges are advertised whole or address by address.',
      }),
    ),
    serviceLoadBalancerIPs: serviceRanges('Ranges of load balancer addresses of services to advertise.'),
  },
  { 'x-kubernetes-validations': specRules, check: unknownCommunity },
);

export interface BGPConfiguration extends Resource {
  spec: Static<typeof spec>;
}

export const bgpConfigurations = calicoKind<BGPConfiguration>({
  kind: 'BGPConfiguration',
  plural: 'bgpconfigurations',
  description: 'How nodes speak BGP: "default" for the cluster, "node.NAME" for what differs on one node.',
  shortNames: ['bgpconfig', 'bgpconfigs'],
  rules: [
    ruleFor<Resource>(
      "self.metadata.name == 'default' || self.metadata.name.startsWith('node.')",
      'must be named "default", or "node." and the name of a node',
      ({ metadata: { name } }) => name === 'default' || name.startsWith('node.'),
    ),
  ],
  example: {
    metadata: { name: 'default' },
    spec: {
      asNumber: 64512,
      nodeToNodeMeshEnabled: false,
      serviceClusterIPs: [{ cidr: '10.96.0.0/12' }],
      communities: [{ name: 'backup', value: '64512:20' }],
      prefixAdvertisements: [{ cidr: '192.168.0.0/16', communities: ['backup'] }],
    },
  },
  spec,
});
