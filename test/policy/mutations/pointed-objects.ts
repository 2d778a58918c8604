// What small clusters are made of: a namespace with a pod on each of two nodes, and one object of each kind that speaks of them.
import type { Cluster } from '../../../src/policy/index.ts';
import type {
  ClusterNetworkPolicy,
  GlobalNetworkPolicy,
  HostEndpoint,
  NetworkPolicy,
  ServiceAccount,
} from '../../../src/resources/index.ts';

const apiVersion = 'projectcalico.org/v3';

export const plain: Cluster = {
  namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'red', labels: { app: 'b' } } }],
  pods: [0, 1].map((index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'red', name: `pod-${index}`, uid: `uid-${index}` },
    spec: { nodeName: `node-${index + 1}`, containers: [{ name: 'main', image: 'any' }] },
    status: { phase: 'Running', podIPs: [{ ip: `10.1.0.${index + 1}` }, { ip: `fd00:1::${index + 1}` }] },
  })),
  networkPolicies: [],
};

export const host = (spec: Partial<HostEndpoint['spec']>): HostEndpoint => ({
  apiVersion,
  kind: 'HostEndpoint',
  metadata: { name: 'h1', labels: { app: 'a' } },
  spec: { node: 'node-1', interfaceName: 'eth0', expectedIPs: ['172.30.0.11', 'fd30::11'], ...spec },
});

export const global = (spec: GlobalNetworkPolicy['spec']): GlobalNetworkPolicy => ({
  apiVersion,
  kind: 'GlobalNetworkPolicy',
  metadata: { name: 'g1' },
  spec,
});

export const account = (name: string, labels: Record<string, string>): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { namespace: 'red', name, labels },
});

export const red = (spec: NetworkPolicy['spec']): NetworkPolicy => ({
  apiVersion,
  kind: 'NetworkPolicy',
  metadata: { namespace: 'red', name: 'p1' },
  spec,
});

export const clusterPolicy = (
  name: string,
  spec: Partial<ClusterNetworkPolicy['spec']>,
): ClusterNetworkPolicy => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha2',
  kind: 'ClusterNetworkPolicy',
  metadata: { name },
  spec: { tier: 'Admin', priority: 10, subject: { namespaces: {} }, ...spec },
});
