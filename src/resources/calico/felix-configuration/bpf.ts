// FelixConfiguration, part: the eBPF dataplane. Declarations only.
import {
  arrayOf,
  boolean,
  integer,
  integerOrString,
  mapOf,
  object,
  oneOf,
  optional,
  string,
} from '../../field.ts';
import { anyCase, duration, timeout } from './shapes.ts';

export const bpf = {
  bpfAttachType: optional(
    oneOf(['TC', 'TCX', 'Netkit'], { description: 'How programs are attached to interfaces.' }),
  ),
  bpfCTLBLogFilter: optional(string({ description: 'Which connect-time load balancing programs log.' })),
  bpfConnectTimeLoadBalancing: optional(
    oneOf(['TCP', 'Enabled', 'Disabled'], {
      description: 'For which protocols services are resolved when a socket connects.',
    }),
  ),
  bpfConnectTimeLoadBalancingEnabled: optional(
    boolean({ description: 'Older switch for the same; the mode wins where both are set.' }),
  ),
  bpfConntrackLogLevel: optional(
    oneOf(['Off', 'Debug'], { description: 'How much the cleaning of the connection table logs.' }),
  ),
  bpfConntrackMode: optional(
    oneOf(['Auto', 'Userspace', 'BPFProgram'], { description: 'Who cleans the connection table.' }),
  ),
  bpfConntrackTimeouts: optional(
    object(
      {
        creationGracePeriod: optional(
          timeout({ description: 'A connection younger than this is never cleaned away.' }),
        ),
        genericTimeout: optional(timeout({ description: 'Protocols other than TCP, UDP and ICMP.' })),
        icmpTimeout: optional(timeout({ description: 'ICMP.' })),
        tcpEstablished: optional(timeout({ description: 'TCP connections that are up.' })),
        tcpFinsSeen: optional(timeout({ description: 'TCP connections that both ends have closed.' })),
        tcpResetSeen: optional(timeout({ description: 'TCP connections that were reset.' })),
        tcpSynSent: optional(timeout({ description: 'TCP connections that were not answered yet.' })),
        udpTimeout: optional(timeout({ description: 'UDP.' })),
      },
      { description: 'How long connections are remembered, by protocol and state.' },
    ),
  ),
  bpfDSROptoutCIDRs: optional(
    arrayOf(string(), {
      description: 'Clients whose answers go back through the node that took the request.',
    }),
  ),
  bpfDataIfacePattern: optional(
    string({ description: 'Regular expression of the interfaces that face the network.' }),
  ),
  bpfDisableGROForIfaces: optional(
    string({ description: 'Regular expression of interfaces on which receive offload is turned off.' }),
  ),
  bpfDisableUnprivileged: optional(
    boolean({ description: 'Whether unprivileged processes are kept from loading programs.' }),
  ),
  bpfEnabled: optional(boolean({ description: 'Whether the eBPF dataplane is used.' })),
  bpfEnforceRPF: optional(
    anyCase(['Disabled', 'Strict', 'Loose'], {
      description: 'How strictly a packet must arrive where its answer would leave.',
    }),
  ),
  bpfExcludeCIDRsFromNAT: optional(
    arrayOf(string(), { description: 'Service addresses that are left to another load balancer.' }),
  ),
  bpfExportBufferSizeMB: optional(
    integer({ description: 'Size of the buffer through which programs report events.' }),
  ),
  bpfExtToServiceConnmark: optional(
    integer({ description: 'Bits to mark connections from outside to services with.' }),
  ),
  bpfExternalServiceMode: optional(
    anyCase(['Tunnel', 'DSR'], {
      description: 'How a request for a pod on another node gets there and back.',
    }),
  ),
  bpfForceTrackPacketsFromIfaces: optional(
    arrayOf(string(), {
      description: "Interfaces whose packets stay in the kernel's own connection tracking.",
    }),
  ),
  bpfHostConntrackBypass: optional(
    boolean({ description: "Whether traffic of the host skips the kernel's own connection tracking." }),
  ),
  bpfHostNetworkedNATWithoutCTLB: optional(
    oneOf(['Enabled', 'Disabled'], {
      description: 'Whether host processes reach services without connect-time load balancing.',
    }),
  ),
  bpfIPFragTimeout: optional(duration({ description: 'How long fragments wait for their fellows.' })),
  bpfIPFragmentReassemblyEnabled: optional(
    boolean({ description: 'Whether fragments that arrive out of order are put together.' }),
  ),
  bpfJITHardening: optional(
    oneOf(['Auto', 'Strict'], {
      description: "Whether the kernel's hardening of compiled programs may be relaxed.",
    }),
  ),
  bpfKubeProxyHealthzPort: optional(
    integer({ description: 'Port on which service health is answered in the place of kube-proxy.' }),
  ),
  bpfKubeProxyIptablesCleanupEnabled: optional(
    boolean({ description: 'Whether rules that kube-proxy left are removed.' }),
  ),
  bpfKubeProxyMinSyncPeriod: optional(
    duration({ description: 'Shortest time between two updates of services.' }),
  ),
  bpfL3IfacePattern: optional(
    string({ description: 'Regular expression of interfaces without link-layer headers.' }),
  ),
  bpfLogFilters: optional(mapOf(string(), { description: 'Per interface, which packets are logged.' })),
  bpfLogLevel: optional(anyCase(['Off', 'Info', 'Debug'], { description: 'How much the programs log.' })),
  bpfMaglevMaxEndpointsPerService: optional(
    integer({ description: 'Most endpoints of a service with consistent hashing.' }),
  ),
  bpfMaglevMaxServices: optional(integer({ description: 'Most services with consistent hashing.' })),
  bpfMapSizeConntrack: optional(integer({ description: 'Entries of the connection table.' })),
  bpfMapSizeConntrackCleanupQueue: optional(
    integer({ minimum: 1, description: 'Entries of the queue of expired connections.' }),
  ),
  bpfMapSizeConntrackScaling: optional(
    anyCase(['Disabled', 'DoubleIfFull'], { description: 'Whether a full connection table grows.' }),
  ),
  bpfMapSizeIPSets: optional(integer({ description: 'Entries of the table of sets of addresses.' })),
  bpfMapSizeIfState: optional(integer({ description: 'Entries of the table of interfaces.' })),
  bpfMapSizeNATAffinity: optional(integer({ description: 'Entries of the table of client affinities.' })),
  bpfMapSizeNATBackend: optional(integer({ description: 'Entries of the table of service endpoints.' })),
  bpfMapSizeNATFrontend: optional(integer({ description: 'Entries of the table of service addresses.' })),
  bpfMapSizePerCpuConntrack: optional(
    integer({ description: 'Entries of the connection table for each CPU, instead of a total.' }),
  ),
  bpfMapSizeRoute: optional(integer({ description: 'Entries of the table of routes.' })),
  bpfOverlayHostSourceIP: optional(
    oneOf(['TunnelAddress', 'HostAddress'], {
      description: 'Which address the host uses towards pods of other nodes.',
    }),
  ),
  bpfPSNATPorts: optional(
    integerOrString({ description: "Ports to choose from when a client's port is taken." }),
  ),
  bpfPolicyDebugEnabled: optional(
    boolean({ description: 'Whether compiled policies are kept for inspection.' }),
  ),
  bpfProfiling: optional(
    oneOf(['Enabled', 'Disabled'], { description: 'Whether the running time of programs is measured.' }),
  ),
  bpfRedirectToPeer: optional(
    oneOf(['Enabled', 'Disabled'], {
      description: 'Whether packets go straight into a pod, past its interface on the host.',
    }),
  ),
};
