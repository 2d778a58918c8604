// Small clusters, each for one thing that the documentation of NetworkPolicy says. What shall pass is not written here:
// the evaluator says it, from the same objects.
import { type Cluster, podAnnotations } from '../../src/policy/index.ts';
import type {
  ContainerPort,
  KubernetesNetworkPolicy,
  Namespace,
  Pod,
  PolicyRule,
} from '../../src/resources/index.ts';

type Spec = NonNullable<KubernetesNetworkPolicy['spec']>;

const namespaces: Namespace[] = ['red', 'green', 'blue'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { team: name, ...(name !== 'blue' && { kind: 'primary' }) } },
}));

const containerPorts: ContainerPort[] = [
  { name: 'web', containerPort: 80 },
  { name: 'dns', containerPort: 81, protocol: 'UDP' },
  { name: 'diameter', containerPort: 82, protocol: 'SCTP' },
];

/** Two pods in each namespace, "a" and "b", one on each node. Those of green give the name "web" to another port. */
const pods: Pod[] = [0, 1, 2, 3, 4, 5].map((index) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: ['red', 'green', 'blue'][index >> 1] ?? '',
    name: `pod-${index}`,
    uid: `uid-${index}`,
    labels: { app: index % 2 === 0 ? 'a' : 'b', ...(index < 2 && { special: 'yes' }) },
    annotations: {
      [podAnnotations.containerId]: `container-${index}`,
    },
  },
  spec: {
    nodeName: `node-${1 + (index % 2)}`,
    containers: [
      {
        name: 'main',
        ports:
          index >> 1 === 1
            ? [{ name: 'web', containerPort: 83 }, ...containerPorts.slice(1)]
            : containerPorts,
      },
    ],
  },
  status: { phase: 'Running', podIPs: [{ ip: `10.1.0.${index + 1}` }, { ip: `fd00:1::${index + 1}` }] },
}));

function cluster(...specs: (Spec & { namespace?: string })[]): Cluster {
  return {
    namespaces,
    pods,
    networkPolicies: specs.map(({ namespace = 'red', ...spec }, index) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace, name: `policy-${index}` },
      spec,
    })),
  };
}

/** Calico's rules about what reaches red. */
function towardsRed(...ingress: PolicyRule[]): Cluster {
  return {
    ...cluster(),
    calicoPolicies: [
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'NetworkPolicy',
        metadata: { namespace: 'red', name: 'calico' },
        spec: { types: ['Ingress'], ingress },
      },
    ],
  };
}

const everyone = { podSelector: {} };
const ingressFrom = (...from: NonNullable<NonNullable<Spec['ingress']>[0]['from']>) => ({
  ...everyone,
  ingress: [{ from }],
});
const ingressTo = (...ports: NonNullable<NonNullable<Spec['ingress']>[0]['ports']>) => ({
  ...everyone,
  ingress: [{ ports }],
});
const expression = (
  key: string,
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
  values?: string[],
) => ({
  matchExpressions: [{ key, operator, ...(values && { values }) }],
});

export const policyCases: readonly (readonly [what: string, cluster: Cluster])[] = [
  ['no policy limits nothing', cluster()],
  [
    'a policy without rules denies the direction it names',
    cluster({ ...everyone, policyTypes: ['Ingress'] }),
  ],
  ['egress is denied on its own', cluster({ ...everyone, policyTypes: ['Egress'] })],
  ['both directions are denied', cluster({ ...everyone, policyTypes: ['Ingress', 'Egress'] })],
  ['types default to ingress', cluster(everyone)],
  ['types default to both where there are egress rules', cluster({ ...everyone, egress: [{}] })],
  [
    'an empty rule allows everything',
    cluster({ ...everyone, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] }),
  ],
  ['a policy selects pods by label', cluster({ podSelector: { matchLabels: { app: 'a' } } })],
  [
    'peers by pod label stay in the namespace',
    cluster(ingressFrom({ podSelector: { matchLabels: { app: 'b' } } })),
  ],
  [
    'peers by namespace label',
    cluster(ingressFrom({ namespaceSelector: { matchLabels: { team: 'green' } } })),
  ],
  ['an empty namespace selector means every namespace', cluster(ingressFrom({ namespaceSelector: {} }))],
  [
    'one peer with both selectors needs both',
    cluster(
      ingressFrom({
        namespaceSelector: { matchLabels: { team: 'green' } },
        podSelector: { matchLabels: { app: 'a' } },
      }),
    ),
  ],
  [
    'two peers need either',
    cluster(
      ingressFrom(
        { namespaceSelector: { matchLabels: { team: 'green' } } },
        { podSelector: { matchLabels: { app: 'b' } } },
      ),
    ),
  ],
  ['In', cluster(ingressFrom({ namespaceSelector: expression('team', 'In', ['green', 'blue']) }))],
  [
    'NotIn also takes those without the label',
    cluster(ingressFrom({ namespaceSelector: {}, podSelector: expression('special', 'NotIn', ['yes']) })),
  ],
  ['Exists', cluster(ingressFrom({ namespaceSelector: expression('kind', 'Exists') }))],
  ['DoesNotExist', cluster(ingressFrom({ namespaceSelector: expression('kind', 'DoesNotExist') }))],
  ['a block of addresses', cluster(ingressFrom({ ipBlock: { cidr: '10.1.0.4/30' } }))],
  [
    'a block with holes',
    cluster(ingressFrom({ ipBlock: { cidr: '10.1.0.0/24', except: ['10.1.0.2/32', '10.1.0.4/31'] } })),
  ],
  [
    'a block of one family says nothing about the other',
    cluster(ingressFrom({ ipBlock: { cidr: 'fd00:1::/126' } })),
  ],
  [
    'every address',
    cluster(
      ingressFrom(
        { ipBlock: { cidr: '0.0.0.0/0' } },
        { ipBlock: { cidr: '::/0', except: ['fd00:1::5/128'] } },
      ),
    ),
  ],
  [
    'egress to a block',
    cluster({
      ...everyone,
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr: '10.1.0.2/31' } }] }],
    }),
  ],
  ['a port without protocol is TCP', cluster(ingressTo({ port: 80 }))],
  ['a protocol without port is all its ports', cluster(ingressTo({ protocol: 'UDP' }))],
  ['SCTP', cluster(ingressTo({ protocol: 'SCTP', port: 82 }))],
  ['a range of ports', cluster(ingressTo({ port: 80, endPort: 82 }))],
  [
    'several ports and ranges',
    cluster(ingressTo({ port: 79 }, { port: 81, endPort: 82 }, { protocol: 'UDP', port: 83 })),
  ],
  [
    "a named port is the receiver's own",
    cluster({ ...ingressTo({ port: 'web' }), namespace: 'green' }, ingressTo({ port: 'web' })),
  ],
  [
    'a name of another protocol does not serve',
    cluster(ingressTo({ port: 'dns' }, { protocol: 'SCTP', port: 'diameter' })),
  ],
  [
    "a named port on egress is each peer's own",
    cluster({
      ...everyone,
      policyTypes: ['Egress'],
      egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 'web' }] }],
    }),
  ],
  [
    'a named port on egress to anywhere',
    cluster({
      ...everyone,
      policyTypes: ['Egress'],
      egress: [{ ports: [{ port: 'web' }, { protocol: 'UDP', port: 'dns' }] }],
    }),
  ],
  ['a named port beside numbers', cluster(ingressTo({ port: 'web' }, { port: 79 }))],
  ['a name that nobody has allows nothing', cluster(ingressTo({ port: 'nowhere' }))],
  [
    'policies add up',
    cluster(
      ingressFrom({ podSelector: {} }),
      ingressFrom({ namespaceSelector: { matchLabels: { team: 'blue' } } }),
    ),
  ],
  [
    'a deny-all takes nothing from another policy',
    cluster(
      { ...everyone, policyTypes: ['Ingress', 'Egress'] },
      { podSelector: { matchLabels: { app: 'a' } }, ingress: [{ from: [{ namespaceSelector: {} }] }] },
    ),
  ],
  [
    'both ends have their say',
    cluster(
      {
        ...everyone,
        policyTypes: ['Egress'],
        egress: [{ to: [{ namespaceSelector: { matchLabels: { team: 'green' } } }] }],
      },
      { namespace: 'green', ...ingressFrom({ podSelector: {} }) },
    ),
  ],
  [
    'ICMP by type and by code',
    towardsRed(
      { action: 'Allow', protocol: 'ICMP', icmp: { type: 8, code: 1 } },
      { action: 'Allow', protocol: 'ICMPv6', icmp: { type: 128, code: 0 } },
    ),
  ],
  ['ICMP by type alone', towardsRed({ action: 'Allow', protocol: 'ICMP', icmp: { type: 13 } })],
  [
    'any ICMP but for a type and a code',
    towardsRed(
      { action: 'Allow', protocol: 'ICMP', notICMP: { type: 8, code: 0 } },
      { action: 'Allow', protocol: 58, notICMP: { type: 128, code: 1 } },
    ),
  ],
  [
    'all but some pods, which are those of the own namespace',
    towardsRed({ action: 'Allow', source: { notSelector: "app == 'a'" } }),
  ],
  [
    'all but some networks of one family, which say nothing about the other',
    towardsRed(
      { action: 'Allow', protocol: 'TCP', source: { notNets: ['10.1.0.2/31'] } },
      { action: 'Allow', protocol: 'UDP', source: { notNets: ['fd00:1::2/127', 'fd00:1::5'] } },
    ),
  ],
  [
    'a named port without protocol is one of TCP',
    towardsRed({ action: 'Allow', destination: { ports: ['web', 'dns', 'diameter'] } }),
  ],
  [
    'all but a named port without protocol is all but one of TCP',
    towardsRed({ action: 'Allow', destination: { notPorts: ['web', 'dns'] } }),
  ],
  ['nothing is left of the policies before', cluster()],
];
