// FelixConfiguration, part: the dataplane at large: interfaces, routes, addresses, failsafe ports. Declarations only.
import { arrayOf, boolean, integer, integerOrString, object, oneOf, optional, string } from '../../field.ts';
import { anyCase, duration, tableRangeRules } from './shapes.ts';

const hostPort = object({
  net: optional(string({ description: 'Only towards this CIDR; any address when absent.' })),
  port: integer({ description: 'The port.' }),
  protocol: optional(string({ description: 'TCP, UDP or SCTP; TCP when absent.' })),
});

const tableRange = {
  max: integer({ description: 'The last table.' }),
  min: integer({ description: 'The first table.' }),
};

export const dataplane = {
  allowIPIPPacketsFromWorkloads: optional(
    boolean({ description: 'Whether pods may send IP-in-IP packets of their own.' }),
  ),
  allowVXLANPacketsFromWorkloads: optional(
    boolean({ description: 'Whether pods may send VXLAN packets of their own.' }),
  ),
  cgroupV2Path: optional(string({ description: 'Where the cgroup tree is mounted.' })),
  chainInsertMode: optional(
    anyCase(['Insert', 'Append'], {
      description: 'Whether our rules stand before or after those of others.',
    }),
  ),
  dataplaneDriver: optional(string({ description: 'Program to run as an external dataplane.' })),
  dataplaneWatchdogTimeout: optional(
    string({ description: 'How long the dataplane may stand still before it counts as ill.' }),
  ),
  defaultEndpointToHostAction: optional(
    anyCase(['Drop', 'Accept', 'Return'], {
      description: 'What becomes of packets from a pod to its host after policy.',
    }),
  ),
  deviceRouteProtocol: optional(
    integer({ description: 'Protocol number of the routes that the agent writes.' }),
  ),
  deviceRouteSourceAddress: optional(
    string({ maxLength: 45, description: 'IPv4 source address that routes to pods prefer.' }),
  ),
  deviceRouteSourceAddressIPv6: optional(
    string({ maxLength: 45, description: 'IPv6 source address that routes to pods prefer.' }),
  ),
  disableConntrackInvalidCheck: optional(
    boolean({ description: 'Whether packets in an invalid connection state may pass to policy.' }),
  ),
  endpointStatusPathPrefix: optional(
    string({ description: 'Directory under which the status of endpoints is written for the CNI plugin.' }),
  ),
  externalNodesList: optional(
    arrayOf(string(), { description: 'Tunnel ends outside of the cluster from which packets are taken.' }),
  ),
  failsafeInboundHostPorts: optional(
    arrayOf(hostPort, {
      description: 'Ports of the host that policy cannot close to the outside.',
    }),
  ),
  failsafeOutboundHostPorts: optional(
    arrayOf(hostPort, {
      description: 'Ports of others that policy cannot close to the host.',
    }),
  ),
  floatingIPs: optional(
    oneOf(['Enabled', 'Disabled'], {
      description: 'Whether pods may have additional addresses by translation.',
    }),
  ),
  interfaceExclude: optional(
    string({ description: 'Interfaces of the host that host endpoints never cover.' }),
  ),
  interfacePrefix: optional(
    string({ description: 'How the names of pod interfaces begin, as a comma-separated list.' }),
  ),
  interfaceRefreshInterval: optional(
    duration({ description: 'How often the list of interfaces is read again.' }),
  ),
  ipForwarding: optional(
    oneOf(['Enabled', 'Disabled'], { description: 'Whether the agent turns IP forwarding on.' }),
  ),
  ipv4ElevatedRoutePriority: optional(
    integer({ description: "Priority of IPv4 routes that must win over those of a pod's former node." }),
  ),
  ipv4NormalRoutePriority: optional(integer({ description: 'Priority of IPv4 routes to pods.' })),
  ipv6ElevatedRoutePriority: optional(
    integer({ description: "Priority of IPv6 routes that must win over those of a pod's former node." }),
  ),
  ipv6NormalRoutePriority: optional(integer({ description: 'Priority of IPv6 routes to pods.' })),
  ipv6Support: optional(boolean({ description: 'Whether IPv6 is programmed.' })),
  istioAmbientMode: optional(
    oneOf(['Enabled', 'Disabled'], { description: 'Whether pods of an ambient Istio mesh are recognised.' }),
  ),
  istioDSCPMark: optional(
    integerOrString({ description: 'DSCP value by which packets of the mesh are recognised.' }),
  ),
  liveMigrationRouteConvergenceTime: optional(
    string({
      pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))*$',
      description: "How long a migrated machine's new route is preferred.",
    }),
  ),
  localSubnetL2Reachability: optional(
    oneOf(['Disabled', 'PodsAndLoadBalancers'], {
      description: 'Whether the node answers for its pods on its own subnet.',
    }),
  ),
  localSubnetL2ReachabilityRefreshInterval: optional(
    string({ description: 'How often those answers are brought up to date.' }),
  ),
  mtuIfacePattern: optional(
    string({ description: 'Regular expression of interfaces whose MTU bounds that of pods.' }),
  ),
  natOutgoingAddress: optional(
    string({
      maxLength: 45,
      description: 'Source address of translated outgoing traffic; that of the interface when absent.',
    }),
  ),
  natOutgoingExclusions: optional(
    oneOf(['IPPoolsOnly', 'IPPoolsAndHostIPs'], {
      description: 'Destinations towards which outgoing traffic is not translated.',
    }),
  ),
  natPortRange: optional(integerOrString({ description: 'Ports for translated outgoing traffic.' })),
  netlinkTimeout: optional(duration({ description: 'How long the kernel may take to answer a request.' })),
  nftablesFlowTableDataIfacePattern: optional(
    string({
      description: 'Regular expression of interfaces between which established flows take the fast path.',
    }),
  ),
  nftablesFlowTableOffload: optional(
    oneOf(['All', 'Disabled'], {
      default: 'Disabled',
      description: "Whether established flows take the kernel's fast path.",
    }),
  ),
  nftablesMode: optional(
    oneOf(['Disabled', 'Enabled', 'Auto'], {
      default: 'Auto',
      description: 'Whether nftables is used instead of iptables.',
    }),
  ),
  policySyncPathPrefix: optional(
    string({ description: 'Directory of sockets through which policy is handed to sidecars.' }),
  ),
  programClusterRoutes: optional(
    oneOf(['Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly'], {
      description: "Which routes to other nodes' pods the agent writes, rather than BGP.",
    }),
  ),
  removeExternalRoutes: optional(
    boolean({ description: 'Whether routes to pods that others wrote are removed.' }),
  ),
  requireMTUFile: optional(
    boolean({ description: 'Whether the agent waits for the file that tells the MTU.' }),
  ),
  routeRefreshInterval: optional(
    duration({ description: 'How often routes are compared with what they should be.' }),
  ),
  routeSource: optional(
    anyCase(['WorkloadIPs', 'CalicoIPAM'], {
      description: "Where the agent learns which node a pod's address lies on.",
    }),
  ),
  routeSyncDisabled: optional(boolean({ description: 'Whether the agent leaves routes alone.' })),
  routeTableRange: optional(
    object(tableRange, {
      'x-kubernetes-validations': tableRangeRules,
      description: 'Routing tables that are ours.',
    }),
  ),
  routeTableRanges: optional(
    arrayOf(object(tableRange, { 'x-kubernetes-validations': tableRangeRules }), {
      description: 'Routing tables that are ours, as several ranges.',
    }),
  ),
  serviceLoopPrevention: optional(
    anyCase(['Drop', 'Reject', 'Disabled'], {
      description: "What becomes of packets to service addresses that are nobody's.",
    }),
  ),
  sidecarAccelerationEnabled: optional(
    boolean({ description: 'Whether traffic between a pod and its sidecar is shortened.' }),
  ),
  useInternalDataplaneDriver: optional(boolean({ description: 'Whether the built-in dataplane is used.' })),
  workloadSourceSpoofing: optional(
    anyCase(['Disabled', 'Any'], { description: 'Whether pods may ask for foreign source addresses.' }),
  ),
};
