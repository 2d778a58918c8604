// Random small clusters, dense with coincidences: few names, few labels, few ports, so that policies meet pods.
import fc from 'fast-check';
import { type Cluster, podAnnotations } from '../../src/policy/index.ts';
import type {
  ContainerPort,
  KubernetesNetworkPolicy,
  LabelSelector,
  Namespace,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
  StagedKubernetesNetworkPolicy,
} from '../../src/resources/index.ts';
import {
  calicoPolicy,
  clusterPolicy,
  endpointSlice,
  globalPolicy,
  networkSet,
  nodeObject,
  serviceAccount,
  stagedPolicy,
  tier,
} from './arbitrary-calico.ts';
import { felixConfiguration, hostEndpoint } from './arbitrary-host-endpoints.ts';
import {
  accountNames,
  derivedKeys,
  endpointLabels,
  keys,
  labels,
  namespaceNames,
  values,
} from './arbitrary-labels.ts';
import { nowAndThenMalformed } from './arbitrary-malformed.ts';

export const nodeNames = ['node-1', 'node-2'];

const selectorKey = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...keys) },
  { weight: 1, arbitrary: fc.constantFrom(...derivedKeys) },
);

const labelSelector: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  labels.map((matchLabels) => ({ matchLabels })),
  fc.record({
    matchExpressions: fc.array(
      fc.oneof(
        fc.record({
          key: selectorKey,
          operator: fc.constantFrom('In' as const, 'NotIn' as const),
          values: fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }),
        }),
        fc.record({
          key: selectorKey,
          operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
        }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);

const ipBlock = fc.constantFrom<NonNullable<NetworkPolicyPeer['ipBlock']>[]>(
  { cidr: '0.0.0.0/0' },
  { cidr: '::/0' },
  { cidr: '10.1.0.0/16', except: ['10.1.0.0/30'] },
  { cidr: '10.1.0.0/29', except: ['10.1.0.2/32', '10.1.0.4/31'] },
  { cidr: 'fd00:1::/64', except: ['fd00:1::2/127'] },
  { cidr: '10.1.0.3/32' },
);

const peer: fc.Arbitrary<NetworkPolicyPeer> = fc.oneof(
  labelSelector.map((podSelector) => ({ podSelector })),
  labelSelector.map((namespaceSelector) => ({ namespaceSelector })),
  fc.record({ podSelector: labelSelector, namespaceSelector: labelSelector }),
  ipBlock.map((block) => ({ ipBlock: block })),
);

const protocol = fc.constantFrom('TCP', 'UDP', 'SCTP');
const port: fc.Arbitrary<NetworkPolicyPort> = fc.oneof(
  fc.record({ protocol }),
  fc.record(
    { protocol, port: fc.constantFrom<(number | string)[]>(80, 81, 'web', 'dns') },
    { requiredKeys: ['port'] },
  ),
  fc.record({ protocol, port: fc.constantFrom(79, 80, 81), endPort: fc.constantFrom(81, 82) }),
);

const peers = fc.array(peer, { maxLength: 2 });
const ports = fc.array(port, { maxLength: 2 });

const networkPolicy = fc
  .record({
    namespace: fc.constantFrom(...namespaceNames),
    // Before the names of Calico's policies, and behind them.
    name: fc.constantFrom('a1', 'a2', 'p3', 'p4', 'p5'),
    podSelector: labelSelector,
    policyTypes: fc.option(fc.subarray(['Ingress' as const, 'Egress' as const], { minLength: 1 }), {
      nil: undefined,
    }),
    ingress: fc.option(fc.array(fc.record({ from: peers, ports }, { requiredKeys: [] }), { maxLength: 2 }), {
      nil: undefined,
    }),
    egress: fc.option(fc.array(fc.record({ to: peers, ports }, { requiredKeys: [] }), { maxLength: 2 }), {
      nil: undefined,
    }),
  })
  .map(
    ({ namespace, name, podSelector, policyTypes, ingress, egress }): KubernetesNetworkPolicy => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace, name },
      spec: {
        podSelector,
        ...(policyTypes && { policyTypes }),
        ...(ingress && { ingress }),
        ...(egress && { egress }),
      },
    }),
  );

const stagedKubernetesPolicy = fc
  .tuple(networkPolicy, fc.constantFrom('Set' as const, 'Learn' as const, undefined))
  .map(
    ([{ metadata, spec }, stagedAction]): StagedKubernetesNetworkPolicy => ({
      apiVersion: 'projectcalico.org/v3',
      kind: 'StagedKubernetesNetworkPolicy',
      metadata,
      spec: { ...spec, ...(stagedAction && { stagedAction }) } as StagedKubernetesNetworkPolicy['spec'],
    }),
  );

const containerPorts = fc.constantFrom<ContainerPort[][]>(
  [],
  [{ name: 'web', containerPort: 80 }],
  [
    { name: 'web', containerPort: 81 },
    { name: 'dns', containerPort: 82, protocol: 'UDP' as const },
  ],
  [{ name: 'web', containerPort: 80, protocol: 'SCTP' as const }],
);

function sidecarOf({ ports, restartPolicy }: { ports: ContainerPort[]; restartPolicy: string | undefined }) {
  return { name: 'sidecar', image: 'any', ports, ...(restartPolicy && { restartPolicy }) };
}

/** Pod number `index` of a cluster has the addresses 10.1.0.<index+1> and fd00:1::<index+1>. */
const podOf = (index: number, nodes: readonly string[]) =>
  fc
    .record({
      namespace: fc.constantFrom(...namespaceNames),
      node: fc.constantFrom(...nodes),
      labels: endpointLabels,
      ports: containerPorts,
      // What starts before the others has ports for as long as it goes on beside them.
      sidecar: fc.option(
        fc.record({ ports: containerPorts, restartPolicy: fc.constantFrom('Always', undefined) }),
        {
          nil: undefined,
          freq: 3,
        },
      ),
      isOnHost: fc.nat(19).map((number) => number === 0),
      account: fc.constantFrom(...accountNames),
      phase: fc.constantFrom(
        'Running' as const,
        'Running' as const,
        'Running' as const,
        'Succeeded' as const,
      ),
    })
    .map(
      ({ namespace, node, labels: own, ports: listed, sidecar, isOnHost, phase, account }): Pod => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          namespace,
          name: `pod-${index}`,
          uid: `uid-${index}`,
          labels: own,
          annotations: {
            [podAnnotations.containerId]: `container-${index}`,
          },
        },
        spec: {
          nodeName: node,
          serviceAccountName: account,
          ...(isOnHost && { hostNetwork: true }),
          ...(sidecar && { initContainers: [sidecarOf(sidecar)] }),
          containers: [{ name: 'main', image: 'any', ports: listed }],
        },
        status: {
          phase,
          podIPs: [{ ip: `10.1.0.${index + 1}` }, { ip: `fd00:1::${(index + 1).toString(16)}` }],
        },
      }),
    );

const namespacesOf = fc.tuple(...namespaceNames.map(() => labels)).map((all) =>
  all.map(
    (own, index): Namespace => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: namespaceNames[index] ?? '',
        labels: { ...own, 'kubernetes.io/metadata.name': namespaceNames[index] ?? '' },
      },
    }),
  ),
);

const names = { namespaces: namespaceNames, keys, values };

const podsOn = (nodes: readonly string[]) =>
  fc
    .integer({ min: 2, max: 6 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => podOf(i, nodes))));

const uniqueName = ({ metadata }: { metadata: { namespace?: string; name: string } }) =>
  `${metadata.namespace}/${metadata.name}`;

/** Returns what it gets: everything is as the API takes it. */
const sound: {
  [Kind in keyof typeof nowAndThenMalformed]: <T>(objects: fc.Arbitrary<T>) => fc.Arbitrary<T>;
} = {
  networkPolicy: (objects) => objects,
  globalPolicy: (objects) => objects,
  clusterPolicy: (objects) => objects,
  networkSet: (objects) => objects,
  hostEndpoint: (objects) => objects,
};

/** Of every kind of policy, with tiers, sets, service accounts, host endpoints and nodes; `as` says whether all of it is sound. */
export const arbitraryClusterOn = (
  nodes: readonly string[],
  as: typeof nowAndThenMalformed = sound,
): fc.Arbitrary<Cluster> =>
  fc.record({
    namespaces: namespacesOf,
    pods: podsOn(nodes),
    networkPolicies: fc.uniqueArray(networkPolicy, { maxLength: 2, selector: uniqueName }),
    serviceAccounts: fc.uniqueArray(serviceAccount(names, labels), {
      minLength: 3,
      maxLength: 6,
      selector: uniqueName,
    }),
    nodes: fc.tuple(...nodes.map((name, index) => nodeObject(name, index + 1, labels))),
    tiers: fc.uniqueArray(tier, { maxLength: 2, selector: uniqueName }),
    calicoPolicies: unique(as.networkPolicy(calicoPolicy(names)), 3),
    globalPolicies: unique(as.globalPolicy(globalPolicy(names)), 3),
    clusterPolicies: unique(as.clusterPolicy(clusterPolicy(labelSelector)), 2),
    hostEndpoints: unique(as.hostEndpoint(hostEndpoint(nodes, endpointLabels)), 3),
    networkSets: unique(as.networkSet(networkSet(names, labels)), 3),
    endpointSlices: fc.uniqueArray(endpointSlice(names), { maxLength: 6, selector: uniqueName }),
    stagedPolicies: fc.uniqueArray(fc.oneof(stagedPolicy(names), stagedKubernetesPolicy), {
      maxLength: 2,
      selector: (policy) => `${policy.kind} ${uniqueName(policy)}`,
    }),
    felixConfiguration,
  });

function unique<T extends { metadata: { namespace?: string; name: string } }>(
  objects: fc.Arbitrary<T>,
  maxLength: number,
): fc.Arbitrary<T[]> {
  return fc.uniqueArray(objects, { maxLength, selector: uniqueName });
}

/** Now and then an object is as no API would take it, and a store may hold it all the same. */
export const arbitraryCluster = arbitraryClusterOn(nodeNames, nowAndThenMalformed);
