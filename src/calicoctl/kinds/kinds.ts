// Every kind that calicoctl manages: its names and the tables that `get` prints of it, which are upstream's.
// Schemas stay in src/resources, because loading them takes longer than most commands; a test compares the two.
import type { Resource, ResourceKind } from '../../resources/index.ts';
import { bgpColumns } from './bgp-columns.ts';
import { type Column, column } from './column.ts';
import { policyColumns } from './policy-columns.ts';

export interface PrintedKind extends ResourceKind {
  /** Further names by which people call it. */
  readonly aliases: readonly string[];
  /** Headings of the ordinary table; that of the namespace is added where it is of use. */
  readonly ordinary: readonly string[];
  readonly wide: readonly string[];
  /** Every column that can be asked for. */
  readonly headings: readonly Column[];
  /** What the objects are made from when none of this kind are stored. */
  readonly madeFrom?: 'nodes' | 'pods' | 'namespaces and service accounts';
}

interface Entry {
  readonly kind: string;
  readonly plural: string;
  readonly aliases?: readonly string[];
  readonly namespaced?: boolean;
  readonly columns?: readonly Column[];
  /** Which of the columns the ordinary table shows, after the name; the wide one shows all. */
  readonly ordinary?: readonly string[];
  readonly madeFrom?: PrintedKind['madeFrom'];
}

const name = column('NAME', '.metadata.name');
const namespace = column('NAMESPACE', '.metadata.namespace');

const entries: readonly Entry[] = [
  {
    kind: 'BGPConfiguration',
    plural: 'bgpconfigurations',
    aliases: ['bgpconfig', 'bgpconfigs'],
    ...bgpColumns.configuration,
  },
  { kind: 'BGPFilter', plural: 'bgpfilters', ...bgpColumns.filter },
  { kind: 'BGPPeer', plural: 'bgppeers', aliases: ['bgpp', 'bgpps', 'bp', 'bps'], ...bgpColumns.peer },
  {
    kind: 'BlockAffinity',
    plural: 'blockaffinities',
    aliases: ['affinity', 'affinities'],
    columns: [column('CIDR', '.spec.cidr'), column('NODE', '.spec.node'), column('STATE', '.spec.state')],
    ordinary: ['CIDR', 'NODE', 'STATE'],
  },
  {
    kind: 'CalicoNodeStatus',
    plural: 'caliconodestatuses',
    aliases: ['caliconodestatus'],
    columns: [
      column('NODE', '.spec.node'),
      column('CLASSES', '.spec.classes'),
      column('INTERVAL', '.spec.updatePeriodSeconds'),
      column('LASTUPDATED', '.status.lastUpdated'),
    ],
    ordinary: ['NODE'],
  },
  {
    kind: 'ClusterInformation',
    plural: 'clusterinformations',
    aliases: ['clusterinfo', 'clusterinfos'],
    columns: [
      column('VERSION', '.spec.calicoVersion'),
      column('TYPE', '.spec.clusterType'),
      column('READY', '.spec.datastoreReady'),
      column('GUID', '.spec.clusterGUID'),
    ],
  },
  {
    kind: 'FelixConfiguration',
    plural: 'felixconfigurations',
    aliases: ['felixconfig', 'felixconfigs'],
    columns: [
      column('LOGSEVERITY', '.spec.logSeverityScreen'),
      column('IPIPENABLED', '.spec.ipipEnabled'),
      column('VXLANENABLED', '.spec.vxlanEnabled'),
      column('BPFENABLED', '.spec.bpfEnabled'),
    ],
  },
  {
    kind: 'GlobalNetworkPolicy',
    plural: 'globalnetworkpolicies',
    aliases: ['gnp', 'gnps', 'cgnp'],
    ...policyColumns.policy,
  },
  { kind: 'GlobalNetworkSet', plural: 'globalnetworksets', aliases: ['gns'], ...policyColumns.set },
  {
    kind: 'HostEndpoint',
    plural: 'hostendpoints',
    aliases: ['hep', 'heps'],
    columns: [
      column('NODE', '.spec.node'),
      column('INTERFACE', '.spec.interfaceName'),
      column('IPS', '.spec.expectedIPs'),
      column('PROFILES', '.spec.profiles'),
    ],
    ordinary: ['NODE'],
  },
  {
    kind: 'IPAMBlock',
    plural: 'ipamblocks',
    columns: [column('CIDR', '.spec.cidr'), column('AFFINITY', '.spec.affinity')],
    ordinary: ['CIDR', 'AFFINITY'],
  },
  {
    kind: 'IPAMConfiguration',
    plural: 'ipamconfigurations',
    aliases: ['ipamconfig', 'ipamconfigs'],
    columns: [
      column('STRICTAFFINITY', '.spec.strictAffinity'),
      column('AUTOALLOCATEBLOCKS', '.spec.autoAllocateBlocks'),
      column('MAXBLOCKSPERHOST', '.spec.maxBlocksPerHost'),
    ],
    ordinary: ['STRICTAFFINITY', 'AUTOALLOCATEBLOCKS', 'MAXBLOCKSPERHOST'],
  },
  {
    kind: 'IPAMHandle',
    plural: 'ipamhandles',
    columns: [column('HANDLE', '.spec.handleID')],
    ordinary: ['HANDLE'],
  },
  {
    kind: 'IPPool',
    plural: 'ippools',
    aliases: ['ipp', 'ipps', 'pool', 'pools'],
    columns: [
      column('CIDR', '.spec.cidr'),
      column('NAT', '.spec.natOutgoing', 'false'),
      column('IPIPMODE', '.spec.ipipMode', 'Never'),
      column('VXLANMODE', '.spec.vxlanMode', 'Never'),
      column('DISABLED', '.spec.disabled', 'false'),
      column('DISABLEBGPEXPORT', '.spec.disableBGPExport', 'false'),
      column('ASSIGNMENTMODE', '.spec.assignmentMode', 'Automatic'),
      column('SELECTOR', '.spec.nodeSelector', 'all()'),
    ],
    ordinary: ['CIDR', 'SELECTOR'],
  },
  {
    kind: 'IPReservation',
    plural: 'ipreservations',
    aliases: ['ipres', 'reservation', 'reservations'],
    columns: [column('CIDRS', '.spec.reservedCIDRs')],
    ordinary: ['CIDRS'],
  },
  {
    kind: 'KubeControllersConfiguration',
    plural: 'kubecontrollersconfigurations',
    aliases: ['kcc', 'kccs', 'kubecontrollersconfig'],
  },
  {
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    aliases: ['np', 'nps', 'cnp', 'caliconetworkpolicy'],
    namespaced: true,
    ...policyColumns.policy,
  },
  {
    kind: 'NetworkSet',
    plural: 'networksets',
    aliases: ['netset', 'netsets'],
    namespaced: true,
    ...policyColumns.set,
  },
  {
    kind: 'Node',
    plural: 'nodes',
    aliases: ['no', 'nos'],
    columns: [
      column('ASN', '.spec.bgp.asNumber', '(64512)'),
      column('IPV4', '.spec.bgp.ipv4Address'),
      column('IPV6', '.spec.bgp.ipv6Address'),
    ],
    madeFrom: 'nodes',
  },
  {
    kind: 'Profile',
    plural: 'profiles',
    aliases: ['pro', 'pros'],
    columns: [{ heading: 'LABELS', value: (object) => labelsOf(object) }],
    madeFrom: 'namespaces and service accounts',
  },
  {
    kind: 'StagedGlobalNetworkPolicy',
    plural: 'stagedglobalnetworkpolicies',
    aliases: ['sgnp', 'sgnps'],
    ...policyColumns.policy,
  },
  {
    kind: 'StagedKubernetesNetworkPolicy',
    plural: 'stagedkubernetesnetworkpolicies',
    aliases: ['sknp', 'sknps'],
    namespaced: true,
  },
  {
    kind: 'StagedNetworkPolicy',
    plural: 'stagednetworkpolicies',
    aliases: ['snp', 'snps', 'scnp'],
    namespaced: true,
    ...policyColumns.policy,
  },
  {
    kind: 'Tier',
    plural: 'tiers',
    columns: [
      column('ORDER', '.spec.order', '<infinity>'),
      column('DEFAULTACTION', '.spec.defaultAction', 'Deny'),
    ],
    ordinary: ['ORDER'],
  },
  {
    kind: 'WorkloadEndpoint',
    plural: 'workloadendpoints',
    aliases: ['wep', 'weps'],
    namespaced: true,
    columns: [
      column('WORKLOAD', '.spec.pod'),
      column('NODE', '.spec.node'),
      column('NETWORKS', '.spec.ipNetworks'),
      column('INTERFACE', '.spec.interfaceName'),
      column('PROFILES', '.spec.profiles'),
      column('NATS', '.spec.ipNATs'),
    ],
    ordinary: ['WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE'],
    madeFrom: 'pods',
  },
];

export const printedKinds: readonly PrintedKind[] = entries.map(
  ({ kind, plural, aliases = [], namespaced = false, columns = [], ordinary = [], madeFrom }) => ({
    group: 'projectcalico.org',
    version: 'v3',
    kind,
    plural,
    namespaced,
    aliases,
    // Of a workload endpoint people look for the pod; its own name is long.
    ordinary: kind === 'WorkloadEndpoint' ? ordinary : ['NAME', ...ordinary],
    wide: ['NAME', ...columns.map(({ heading }) => heading)],
    headings: [name, ...(namespaced ? [namespace] : []), ...columns],
    ...(madeFrom && { madeFrom }),
  }),
);

function labelsOf(object: Resource): string {
  const spec = Reflect.get(object, 'spec') as { labelsToApply?: Record<string, string> } | undefined;
  return Object.entries(spec?.labelsToApply ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
