// Small clusters for what random ones meet too seldom.
import type { Cluster } from '../../../src/policy/index.ts';
import type { ClusterNetworkPolicyPeer } from '../../../src/resources/index.ts';
import { malformedClusters } from './malformed-clusters.ts';
import { account, clusterPolicy, global, host, plain, red } from './pointed-objects.ts';

const domains: ClusterNetworkPolicyPeer = { domainNames: ['*.example.com'] };

const judging = (priority: number, action: 'Accept' | 'Deny') => ({
  priority,
  ingress: [{ action, from: [{ namespaces: {} }] }],
});

export const pointedClusters: readonly Cluster[] = [
  // A port that a host endpoint gives a name.
  {
    ...plain,
    hostEndpoints: [host({ ports: [{ name: 'web', protocol: 'TCP', port: 80 }] })],
    globalPolicies: [
      global({
        selector: "app == 'a'",
        ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: ['web'] } }],
      }),
    ],
  },
  // The same, asked for by a ClusterNetworkPolicy, which means pods' ports alone.
  {
    ...plain,
    hostEndpoints: [host({ ports: [{ name: 'web', protocol: 'TCP', port: 80 }] })],
    clusterPolicies: [
      clusterPolicy('k1', {
        egress: [
          {
            action: 'Deny',
            to: [{ networks: ['172.30.0.0/16'] }],
            protocols: [{ destinationNamedPort: 'web' }],
          },
        ],
      }),
    ],
  },
  // A label that a host endpoint has from the namespace of its profile.
  {
    ...plain,
    hostEndpoints: [host({ profiles: ['kns.red', 'projectcalico-default-allow'] })],
    globalPolicies: [global({ selector: "pcns.app == 'b' && app == 'a'", types: ['Ingress'] })],
  },
  // Labels that a host endpoint has from the service account of its profile: it is selected by them, and meant by them.
  ...["pcsa.team == 'x' && app == 'a'", "pcsa.projectcalico.org/name == 'robot.1' && app == 'a'"].map(
    (selector) => ({
      ...plain,
      serviceAccounts: [account('robot.1', { team: 'x' })],
      hostEndpoints: [host({ profiles: ['ksa.red.robot.1', 'projectcalico-default-allow'] })],
      globalPolicies: [global({ selector, types: ['Ingress'] })],
    }),
  ),
  {
    ...plain,
    serviceAccounts: [account('robot', { team: 'x' })],
    hostEndpoints: [host({ profiles: ['ksa.red.robot', 'projectcalico-default-allow'] })],
    globalPolicies: [
      global({
        namespaceSelector: 'all()',
        types: ['Ingress'],
        ingress: [{ action: 'Allow', source: { serviceAccounts: { selector: "team == 'x'" } } }],
      }),
    ],
  },
  // Untracked policies, which say nothing about the endpoint of all interfaces.
  {
    ...plain,
    hostEndpoints: [host({ interfaceName: '*', profiles: ['projectcalico-default-allow'] })],
    globalPolicies: [
      global({
        selector: "app == 'a'",
        doNotTrack: true,
        applyOnForward: true,
        ingress: [{ action: 'Deny' }],
      }),
    ],
  },
  // One code of a type of ICMP messages that is left out, and a service whose port names no protocol.
  {
    ...plain,
    endpointSlices: [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { namespace: 'red', name: 'front', labels: { 'kubernetes.io/service-name': 'front' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.1.0.1'] }],
        ports: [{ name: 'web', port: 80 }],
      },
    ],
    calicoPolicies: [
      red({
        types: ['Egress'],
        egress: [
          { action: 'Allow', protocol: 'ICMP', notICMP: { type: 8, code: 0 } },
          { action: 'Allow', destination: { services: { name: 'front' } } },
        ],
      }),
    ],
  },
  // A port that a pod gives a name, asked of what a host endpoint forwards to it.
  {
    ...plain,
    pods: plain.pods.map((pod) => ({
      ...pod,
      spec: {
        ...pod.spec,
        containers: [{ name: 'main', image: 'any', ports: [{ name: 'web', containerPort: 80 }] }],
      },
    })),
    hostEndpoints: [host({ profiles: ['projectcalico-default-allow'] })],
    globalPolicies: [
      global({
        selector: "app == 'a'",
        applyOnForward: true,
        types: ['Ingress'],
        ingress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: ['web'] } }, { action: 'Allow' }],
      }),
    ],
  },
  // Service accounts by name and by label at once.
  {
    ...plain,
    serviceAccounts: ['robot', 'clerk'].map((name) => account(name, { team: 'x' })),
    pods: plain.pods.map((pod, index) => ({
      ...pod,
      spec: { ...pod.spec, serviceAccountName: index === 0 ? 'robot' : 'clerk', containers: [] },
    })),
    calicoPolicies: [
      red({
        types: ['Ingress'],
        ingress: [
          { action: 'Allow', source: { serviceAccounts: { names: ['clerk'], selector: "team == 'x'" } } },
        ],
      }),
    ],
  },
  // Service accounts of one name in two namespaces, and several names in one list.
  ...[['robot'], ['nobody', 'robot']].map((names) => ({
    ...plain,
    namespaces: ['red', 'blue'].map((name) => ({
      apiVersion: 'v1' as const,
      kind: 'Namespace' as const,
      metadata: { name },
    })),
    serviceAccounts: ['red', 'blue'].map((namespace) => ({
      ...account('robot', {}),
      metadata: { namespace, name: 'robot' },
    })),
    pods: [...plain.pods, ...plain.pods].map((pod, index) => ({
      ...pod,
      metadata: {
        namespace: index < 3 ? 'red' : 'blue',
        name: `pod-${index}`,
        uid: `uid-${index}`,
      },
      spec: { ...pod.spec, serviceAccountName: 'robot', containers: [] },
      status: {
        phase: 'Running' as const,
        podIPs: [{ ip: `10.1.0.${index + 1}` }, { ip: `fd00:1::${index + 1}` }],
      },
    })),
    calicoPolicies: [
      red({
        types: ['Ingress'],
        ingress: [{ action: 'Allow', source: { serviceAccounts: { names } } }],
      }),
    ],
  })),
  // Names in another order than priorities.
  {
    ...plain,
    clusterPolicies: [clusterPolicy('k1', judging(20, 'Deny')), clusterPolicy('k2', judging(10, 'Accept'))],
  },
  // Selectors that say nothing: of rules, and of a policy, which then is about all whom it could be about.
  ...(['Allow', 'Deny', 'Pass'] as const).map((action) => ({
    ...plain,
    calicoPolicies: [
      red({
        types: ['Ingress'],
        ingress: [
          { action, source: { selector: 'app = ' } },
          { action: action === 'Allow' ? 'Deny' : 'Allow', protocol: 'TCP' },
        ],
      }),
    ],
  })),
  {
    ...plain,
    calicoPolicies: [red({ selector: 'app in {', types: ['Ingress'] })],
    globalPolicies: [global({ selector: 'has(', types: ['Egress'], egress: [{ action: 'Allow' }] })],
  },
  {
    ...plain,
    globalPolicies: [
      global({
        namespaceSelector: 'app',
        types: ['Ingress'],
        ingress: [{ action: 'Deny', protocol: 'UDP' }],
      }),
    ],
  },
  // Requests, which nobody looks into.
  ...(['Allow', 'Deny'] as const).map((action) => ({
    ...plain,
    calicoPolicies: [
      red({
        types: ['Ingress'],
        ingress: [
          { action, protocol: 'TCP', http: { methods: ['GET'] } },
          { action: action === 'Allow' ? 'Deny' : 'Allow' },
        ],
      }),
    ],
  })),
  // A pod on the network of its host, which is nobody to policies.
  {
    ...plain,
    pods: plain.pods.map((pod, index) => ({
      ...pod,
      spec: { ...pod.spec, containers: [], hostNetwork: index === 1 },
    })),
    calicoPolicies: [red({ types: ['Ingress'] })],
  },
  // Ports of a container that starts before the others and goes on beside them, and of one that has ended by then.
  {
    ...plain,
    pods: plain.pods.map((pod, index) => ({
      ...pod,
      spec: {
        ...pod.spec,
        initContainers: [
          {
            name: 'first',
            image: 'any',
            ports: [{ name: 'web', containerPort: 80 }],
            ...(index === 0 && { restartPolicy: 'Always' }),
          },
        ],
        containers: [],
      },
    })),
    calicoPolicies: [
      red({
        types: ['Ingress'],
        ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: ['web'] } }],
      }),
    ],
  },
  // A policy of Kubernetes among Calico's of the same order, by its name.
  ...['a1', 'z1'].map((name) => ({
    ...plain,
    networkPolicies: [
      {
        apiVersion: 'networking.k8s.io/v1' as const,
        kind: 'NetworkPolicy' as const,
        metadata: { namespace: 'red', name },
        spec: { podSelector: {}, ingress: [{}] },
      },
    ],
    calicoPolicies: [red({ order: 1000, types: ['Ingress'], ingress: [{ action: 'Deny' }] })],
  })),
  // Domains, which nobody can tell by their addresses: they accept nothing, and deny everything.
  ...(['Accept', 'Deny', 'Pass'] as const).map((action) => ({
    ...plain,
    clusterPolicies: [
      clusterPolicy('k1', {
        egress: [
          { action, to: [{ networks: ['10.1.0.0/31'] }, domains] },
          { action: action === 'Accept' ? 'Deny' : 'Accept', to: [{ networks: ['10.1.0.0/16'] }] },
        ],
      }),
    ],
  })),
  ...malformedClusters,
];
