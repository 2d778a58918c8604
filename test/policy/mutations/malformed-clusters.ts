// Small clusters with one thing each that cannot be understood, where believing half of it would be seen.
import type { Cluster } from '../../../src/policy/index.ts';
import type { GlobalNetworkSet, PolicyRule } from '../../../src/resources/index.ts';
import { clusterPolicy, global, host, plain, red } from './pointed-objects.ts';

/** Not of the types that the API has. */
type Loose = Record<string, unknown>;

/** A rule that would allow something, were it understood. */
const allows: readonly Loose[] = [
  { ipVersion: 5 },
  { protocol: 'None' },
  { protocol: 'ICMP', notICMP: { type: 8, code: 256 } },
  { icmp: { type: 8 } },
  { destination: { ports: [80] } },
  { protocol: 'TCP', destination: { ports: ['80:70000'] } },
  { source: { nets: ['10.1.0.0/29', 'junk'] } },
  { source: { notNets: ['192.0.2.0/24', 'junk'] } },
  { source: { selector: '!has(nothing)\n' } },
];

/** A rule that would deny nothing, or something else, were it understood. */
const denies: readonly Loose[] = [
  { action: 'Refuse' },
  { protocol: 'constructor' },
  { protocol: 'TCP', icmp: { type: 8 } },
  { source: { services: { name: 'front', namespace: 'red' }, nets: ['192.0.2.0/24'] } },
];

const policyWith = (...rules: readonly Loose[]): Cluster => ({
  ...plain,
  calicoPolicies: [red({ types: ['Ingress'], ingress: rules as unknown as PolicyRule[] })],
});

const clusterPolicyWith = (...rules: readonly Loose[]): Cluster => ({
  ...plain,
  clusterPolicies: [clusterPolicy('k1', { ingress: rules } as Loose)],
});

const fromAll = { from: [{ namespaces: {} }] };

/** The same of a ClusterNetworkPolicy. */
const accepts: readonly Loose[] = [
  { from: [{ networks: [] }] },
  { from: [{ namespaces: { matchExpressions: [{ key: 'app', operator: 'Equals', values: ['b'] }] } }] },
  { ...fromAll, protocols: [{}] },
  { ...fromAll, protocols: [{ tcp: { destinationPort: { number: 70000 } } }] },
];

const ofPod: GlobalNetworkSet = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'GlobalNetworkSet',
  metadata: { name: 's1', labels: { role: 'known' } },
  spec: { nets: ['10.1.0.1', 'junk', '10.1.0.2/32'] },
};

export const malformedClusters: readonly Cluster[] = [
  ...allows.map((rule) => policyWith({ action: 'Allow', ...rule })),
  ...denies.map((rule) => policyWith({ action: 'Deny', ...rule }, { action: 'Allow' })),
  clusterPolicyWith({ action: 'Deny', from: [] }),
  clusterPolicyWith({ action: 'Allow', ...fromAll }, { action: 'Deny', ...fromAll }),
  ...accepts.map((rule) => clusterPolicyWith({ action: 'Accept', ...rule }, { action: 'Deny', ...fromAll })),
  {
    ...plain,
    clusterPolicies: [clusterPolicy('k1', { subject: {}, ingress: [{ action: 'Deny', ...fromAll }] })],
  },
  { ...plain, calicoPolicies: [red({ types: ['Sideways'] } as Loose)] },
  // Of two places at once: it closes the first of them, whatever is allowed in the usual one.
  {
    ...plain,
    hostEndpoints: [host({ profiles: ['projectcalico-default-allow'] })],
    globalPolicies: [
      global({
        selector: "app == 'a'",
        doNotTrack: true,
        preDNAT: true,
        applyOnForward: true,
        ingress: [{ action: 'Deny' }],
      }),
      {
        ...global({
          selector: "app == 'a'",
          order: 1,
          applyOnForward: true,
          ingress: [{ action: 'Allow' }],
        }),
        metadata: { name: 'g2' },
      },
    ],
  },
  // The number of a protocol is as good as its name; a block is no address.
  {
    ...plain,
    hostEndpoints: [host({ ports: [{ name: 'web', protocol: 6, port: 80 }] })],
    globalPolicies: [
      global({
        selector: "app == 'a'",
        ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: ['web'] } }],
      }),
    ],
  },
  {
    ...policyWith({ action: 'Allow', source: { namespaceSelector: 'global()', selector: "app == 'a'" } }),
    hostEndpoints: [host({ expectedIPs: ['172.30.0.0/24'] })],
  },
  // What is left of a set is in it all the same.
  {
    ...policyWith({
      action: 'Allow',
      source: { namespaceSelector: 'global()', selector: "role == 'known'" },
    }),
    networkSets: [ofPod],
  },
];
