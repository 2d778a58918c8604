// Sound objects of every kind that a program follows, for tests to make hostile ones of.
import {
  bgpConfigurations,
  bgpFilters,
  bgpPeers,
  blockAffinities,
  calicoNodeStatuses,
  clusterNetworkPolicies,
  endpointSlices,
  felixConfigurations,
  globalNetworkPolicies,
  globalNetworkSets,
  hostEndpoints,
  ipamBlocks,
  ipamConfigurations,
  ipamHandles,
  ipPools,
  ipReservations,
  kubeControllersConfigurations,
  kubernetesNetworkPolicies,
  namespaces,
  networkPolicies,
  networkSets,
  nodes,
  pods,
  type ResourceKind,
  secrets,
  serviceAccounts,
  services,
  tiers,
} from '../../src/resources/index.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Template = readonly [ResourceKind, Json];

const deny = { action: 'Deny', protocol: 'TCP', source: { nets: ['10.0.0.0/8'], selector: "app == 'b'" } };
const victim = "app == 'victim'";

/** What decides about policy. It opens nothing: each is a policy that denies, or something that no permitted flow depends on. */
export const policyTemplates: readonly Template[] = [
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

const filterRule = {
  action: 'Accept',
  cidr: '192.0.2.0/24',
  matchOperator: 'In',
  communities: { values: ['65000:1'] },
};

/** What BGP, address management and the controllers read besides. */
export const networkTemplates: readonly Template[] = [
  [
    ipPools,
    { spec: { cidr: '198.51.100.0/24', blockSize: 28, disableBGPExport: true, allowedUses: ['Workload'] } },
  ],
  [
    nodes,
    {
      metadata: {
        labels: { rack: 'x' },
        annotations: {
          'projectcalico.org/IPv4Address': '192.0.2.9/24',
          'projectcalico.org/ASNumber': '65001',
          'projectcalico.org/RouteReflectorClusterID': '244.0.0.9',
        },
      },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.9' }] },
    },
  ],
  [
    bgpConfigurations,
    {
      spec: {
        asNumber: 64512,
        listenPort: 179,
        serviceClusterIPs: [{ cidr: '192.0.2.0/24' }],
        communities: [{ name: 'c', value: '65000:1' }],
        prefixAdvertisements: [{ cidr: '192.0.2.0/24', communities: ['c'] }],
        ignoredInterfaces: ['eth9'],
        nodeMeshPassword: { secretKeyRef: { name: 'hostile-0', key: 'k' } },
      },
    },
  ],
  [
    bgpPeers,
    {
      spec: {
        peerIP: '192.0.2.20',
        asNumber: 65002,
        nodeSelector: "rack == 'a'",
        filters: ['hostile-1'],
        password: { secretKeyRef: { name: 'hostile-2', key: 'k' } },
        keepaliveTime: '10s',
        reachableBy: '192.0.2.1',
      },
    },
  ],
  [
    bgpPeers,
    { spec: { peerSelector: "rack == 'x'", nodeSelector: 'all()', ttlSecurity: 1, sourceAddress: 'None' } },
  ],
  [bgpPeers, { spec: { localWorkloadSelector: "app == 'x'", asNumber: 65003, localASNumber: 65004 } }],
  [
    bgpFilters,
    {
      spec: {
        importV4: [filterRule],
        exportV4: [{ ...filterRule, operations: [{ setPriority: { value: 7 } }] }],
      },
    },
  ],
  [blockAffinities, { spec: { cidr: '192.168.1.0/26', node: 'node-1', state: 'confirmed', deleted: false } }],
  [ipamHandles, { spec: { handleID: 'x', block: { '192.168.1.0/26': 1 }, deleted: false } }],
  [ipamConfigurations, { spec: { strictAffinity: false, autoAllocateBlocks: true, maxBlocksPerHost: 3 } }],
  [ipReservations, { spec: { reservedCIDRs: ['192.0.2.0/30'] } }],
  [
    calicoNodeStatuses,
    { spec: { node: 'node-1', classes: ['Agent', 'BGP', 'Routes'], updatePeriodSeconds: 10 } },
  ],
  [felixConfigurations, { spec: { nodeSelector: "rack == 'none'", logPrefix: 'x', vxlanPort: 4789 } }],
  [
    kubeControllersConfigurations,
    {
      spec: {
        controllers: {
          node: { hostEndpoint: { autoCreate: 'Enabled' } },
          loadBalancer: { assignIPs: 'AllServices' },
        },
      },
    },
  ],
  [
    services,
    {
      metadata: {
        namespace: 'other',
        annotations: { 'projectcalico.org/loadBalancerIPs': '["192.0.2.40"]' },
      },
      spec: {
        type: 'LoadBalancer',
        clusterIPs: ['192.0.2.30'],
        externalIPs: ['192.0.2.31'],
        ipFamilies: ['IPv4'],
      },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.32' }] } },
    },
  ],
  [secrets, { metadata: { namespace: 'kube-system' }, data: { k: 'c2VjcmV0' } }],
];
