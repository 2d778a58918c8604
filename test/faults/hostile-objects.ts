// Objects that no validation would let in, as somebody with access to the store may leave them there: every kind that the agent
// follows, with something in it torn out, of another type, huge, or named like a part of JavaScript itself.
import {
  bgpConfigurations,
  clusterNetworkPolicies,
  endpointSlices,
  globalNetworkPolicies,
  globalNetworkSets,
  hostEndpoints,
  ipamBlocks,
  ipPools,
  kubernetesNetworkPolicies,
  namespaces,
  networkPolicies,
  networkSets,
  nodes,
  pods,
  type Resource,
  type ResourceKind,
  serviceAccounts,
  tiers,
} from '../../src/resources/index.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface HostileObject {
  readonly kind: ResourceKind;
  readonly object: Resource;
}

const deny = { action: 'Deny', protocol: 'TCP', source: { nets: ['10.0.0.0/8'], selector: "app == 'b'" } };
const victim = "app == 'victim'";

/** Sound objects, which open nothing: each is a policy that denies, or something that no permitted flow depends on. */
const sound: readonly (readonly [ResourceKind, Json])[] = [
  [
    pods,
    {
      metadata: { namespace: 'other', labels: { app: 'x' } },
      spec: { nodeName: 'node-1', containers: [{ ports: [{ name: 'web', containerPort: 80 }] }] },
      status: { phase: 'Running', podIPs: [{ ip: '10.0.9.9' }] },
    },
  ],
  [namespaces, { metadata: { labels: { team: 'x' } } }],
  [serviceAccounts, { metadata: { namespace: 'other', labels: { role: 'x' } } }],
  [tiers, { spec: { order: 900, defaultAction: 'Pass' } }],
  [
    kubernetesNetworkPolicies,
    {
      metadata: { namespace: 'victims' },
      spec: {
        podSelector: { matchLabels: { app: 'victim' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          { from: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.1/32'] } }], ports: [{ port: 80 }] },
        ],
      },
    },
  ],
  [
    clusterNetworkPolicies,
    {
      spec: {
        tier: 'Admin',
        priority: 10,
        subject: { namespaces: { matchLabels: { team: 'victims' } } },
        ingress: [{ name: 'x', action: 'Deny', from: [{ namespaces: {} }] }],
      },
    },
  ],
  [
    networkPolicies,
    {
      metadata: { namespace: 'victims' },
      spec: { selector: victim, types: ['Ingress', 'Egress'], order: 10, ingress: [deny], egress: [deny] },
    },
  ],
  [
    globalNetworkPolicies,
    { spec: { selector: victim, types: ['Ingress', 'Egress'], order: 10, ingress: [deny], egress: [deny] } },
  ],
  [networkSets, { metadata: { namespace: 'other', labels: { set: 'x' } }, spec: { nets: ['192.0.2.0/24'] } }],
  [
    globalNetworkSets,
    { metadata: { labels: { set: 'x' } }, spec: { nets: ['192.0.2.0/24', '2001:db8::/32'] } },
  ],
  [
    endpointSlices,
    {
      metadata: { namespace: 'other', labels: { 'kubernetes.io/service-name': 'x' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.7'] }],
      ports: [{ port: 80, protocol: 'TCP' }],
    },
  ],
  [hostEndpoints, { spec: { node: 'node-9', interfaceName: 'eth9', expectedIPs: ['192.0.2.8'] } }],
  [
    nodes,
    {
      metadata: { annotations: { 'projectcalico.org/IPv4Address': '192.0.2.9/24' } },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.9' }] },
    },
  ],
  [
    ipPools,
    { spec: { cidr: '192.168.0.0/16', vxlanMode: 'Always', natOutgoing: true, nodeSelector: 'all()' } },
  ],
  [bgpConfigurations, { spec: { asNumber: 64512, serviceClusterIPs: [{ cidr: '192.0.2.0/24' }] } }],
  [
    ipamBlocks,
    {
      spec: {
        cidr: '192.168.1.0/26',
        affinity: 'host:node-9',
        allocations: [null, 0],
        attributes: [{ handle_id: 'x', secondary: {} }],
        unallocated: [],
        strictAffinity: false,
      },
    },
  ],
];

const hostile: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  0.5,
  '',
  'Bogus',
  '__proto__',
  '10.0.0.300/99',
  '::/0',
  "a == 'b",
  'has(has(((((((((((',
  '\u0000\n"\\%s$`;drop',
  'x'.repeat(5_000),
  '(('.repeat(3_000),
  [],
  {},
  [null],
  [[[[{}]]]],
  { __proto__x: 1, constructor: 'x', toString: null },
  { matchLabels: null },
  { matchExpressions: [{ key: 'a', operator: 'In' }] },
  Array.from({ length: 300 }, (_, n) => n),
];

/** One that may be anything. `random` gives 0 to below 1. */
export function hostileObject(number: number, random: () => number): HostileObject {
  const below = (count: number) => Math.floor(random() * count);
  const [kind, template] = sound[below(sound.length)] ?? (sound[0] as (typeof sound)[number]);
  const body = structuredClone(template) as { [key: string]: Json };
  for (let wounds = 1 + below(3); wounds > 0; wounds--) {
    const places = placesIn(body);
    const [holder, key] = places[below(places.length)] ?? [body, 'spec'];
    if (random() < 0.2) delete (holder as Record<string, Json>)[key];
    else (holder as Record<string, Json>)[key] = structuredClone(hostile[below(hostile.length)] ?? null);
  }
  const metadata = (typeof body.metadata === 'object' ? body.metadata : undefined) as
    | { [key: string]: Json }
    | undefined;
  const original = (template as { metadata?: { namespace?: string } }).metadata?.namespace;
  // What a store is asked by is sound, or the object could not be in it.
  const object = {
    ...body,
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    metadata: {
      ...metadata,
      name: `hostile-${number}`,
      ...(original !== undefined && { namespace: original }),
      uid: `uid-${number}`,
      resourceVersion: String(number + 1),
    },
  };
  return { kind, object: object as unknown as Resource };
}

/** Every place in a document: what holds it, and by which key. */
function placesIn(value: Json): [holder: object, key: string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    [value, key] as [object, string],
    ...placesIn(child as Json),
  ]);
}
