// Sound objects of every kind that a program follows, for tests to make hostile ones of.
import {
  bgpConfigurations,
  bgpFilters,
  bgpPeers,
  blockAffinities,
  calicoNodeStatuses,
  clusterInformations,
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
/** Of a kind whose objects have names that say something, a body for each number, with its name. */
export type Template = readonly [ResourceKind, Json | ((number: number) => Json)];

const deny = { action: 'Deny', protocol: 'TCP', source: { nets: ['10.0.0.0/8'], selector: "app == 'b'" } };
const victim = "app == 'victim'";

/** Of four addresses, one of which is used on this node and one on another. */
function block(number: number): Json {
  const [third, fourth] = [(number >> 6) & 255, (number & 63) * 4];
  const secondary = (node: string) => ({ node, namespace: 'other', pod: 'x' });
  return {
    metadata: { name: `192-168-${third}-${fourth}-30` },
    spec: {
      cidr: `192.168.${third}.${fourth}/30`,
      affinity: 'host:node-9',
      allocations: [null, 0, null, 1],
      attributes: [
        { handle_id: 'x', secondary: secondary('node-1') },
        { handle_id: 'y', secondary: secondary('node-2') },
      ],
      unallocated: [0, 2],
      strictAffinity: false,
    },
  };
}

const vxlanAnnotations = {
  'projectcalico.org/IPv4Address': '192.0.2.9/24',
  'projectcalico.org/IPv4VXLANTunnelAddr': '192.168.9.9',
  'projectcalico.org/VXLANTunnelMACAddr': '66:00:00:00:09:04',
  'projectcalico.org/IPv6Address': '2001:db8::9/64',
  'projectcalico.org/IPv6VXLANTunnelAddr': '2001:db8:9::9',
  'projectcalico.org/VXLANTunnelMACAddrV6': '66:00:00:00:09:06',
};

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
      metadata: { annotations: vxlanAnnotations },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.9' }] },
    },
  ],
  [
    ipPools,
    { spec: { cidr: '192.168.0.0/16', vxlanMode: 'Always', natOutgoing: true, nodeSelector: 'all()' } },
  ],
  [bgpConfigurations, { spec: { asNumber: 64512, serviceClusterIPs: [{ cidr: '192.0.2.0/24' }] } }],
  [ipamBlocks, block],
];

/** As a cluster may have them that has changed much. */
const felixSettings = {
  logPrefix: 'x',
  logSeverityScreen: 'Info',
  logActionRateLimit: '10/second',
  logActionRateLimitBurst: 3,
  vxlanPort: 4790,
  vxlanVNI: 4097,
  vxlanMTU: 1400,
  deviceRouteSourceAddress: '172.30.0.11',
  deviceRouteProtocol: 80,
  failsafeInboundHostPorts: [{ protocol: 'TCP', port: 22, net: '10.0.0.0/8' }],
  failsafeOutboundHostPorts: [{ protocol: 'UDP', port: 53 }],
  natPortRange: '20000:29999',
  natOutgoingAddress: '172.30.0.11',
  iptablesNATOutgoingInterfaceFilter: 'eth0',
  interfacePrefix: 'cali,tap',
  interfaceExclude: 'kube-ipvs0',
  mtuIfacePattern: '^eth',
  nftablesMarkMask: 0xffff0000,
  nftablesRefreshInterval: '60s',
  routeRefreshInterval: '60s',
  interfaceRefreshInterval: '60s',
  prometheusMetricsEnabled: true,
  prometheusMetricsPort: 9091,
  healthEnabled: true,
  healthPort: 9099,
  dataplaneWatchdogTimeout: '90s',
  externalNodesList: ['192.0.2.0/24'],
  serviceLoopPrevention: 'Drop',
  routeSource: 'CalicoIPAM',
};

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
          ...vxlanAnnotations,
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
  [felixConfigurations, { spec: { ...felixSettings, nodeSelector: 'all()' } }],
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

/** The objects named "default", and a node's own, which an agent reads at its start; `hostileInstead` takes them. */
export const startTemplates: readonly Template[] = [
  ...networkTemplates.filter(([kind]) =>
    [nodes, bgpConfigurations, ipamConfigurations, kubeControllersConfigurations].some(
      (one) => one.kind === kind.kind,
    ),
  ),
  [felixConfigurations, { spec: felixSettings }],
  [
    clusterInformations,
    {
      spec: {
        clusterGUID: '0123456789abcdef0123456789abcdef',
        clusterType: 'k8s,bgp',
        calicoVersion: 'v3.30.0',
        datastoreReady: true,
      },
    },
  ],
];
