// FelixConfiguration, part: the iptables and nftables dataplanes, and XDP beside them. Declarations only.
import { arrayOf, boolean, integer, integerOrString, oneOf, optional, string } from '../../field.ts';
import { anyCase, duration } from './shapes.ts';

export const tables = {
  genericXDPEnabled: optional(
    boolean({ description: 'Whether XDP is used where the driver itself lacks it.' }),
  ),
  ipsetsRefreshInterval: optional(
    duration({ description: 'How often sets in the kernel are compared with what they should hold.' }),
  ),
  iptablesBackend: optional(
    oneOf(['Legacy', 'NFT', 'Auto'], {
      pattern: '^(?i)(Auto|Legacy|NFT)?$',
      description: "Which of the kernel's interfaces for iptables is used.",
    }),
  ),
  iptablesFilterAllowAction: optional(
    anyCase(['Accept', 'Return'], { description: 'What becomes of an allowed packet in the filter table.' }),
  ),
  iptablesFilterDenyAction: optional(
    anyCase(['Drop', 'Reject'], { description: 'What becomes of a denied packet in the filter table.' }),
  ),
  iptablesLockProbeInterval: optional(duration({ description: 'How often the lock of iptables is tried.' })),
  iptablesMangleAllowAction: optional(
    anyCase(['Accept', 'Return'], { description: 'What becomes of an allowed packet in the mangle table.' }),
  ),
  iptablesMarkMask: optional(
    integer({
      minimum: 0,
      maximum: 4294967295,
      format: 'int64',
      description: 'Bits of the packet mark that are ours.',
    }),
  ),
  iptablesNATOutgoingInterfaceFilter: optional(
    string({ description: 'Interfaces through which outgoing traffic is translated; all when absent.' }),
  ),
  iptablesPostWriteCheckInterval: optional(
    duration({ description: 'How soon after a write the tables are read again.' }),
  ),
  iptablesRefreshInterval: optional(
    duration({ description: 'How often the tables are compared with what they should hold.' }),
  ),
  kubeNodePortRanges: optional(
    arrayOf(integerOrString(), { maxItems: 7, description: 'Node ports of services.' }),
  ),
  maxIpsetSize: optional(integer({ description: 'Most elements of an IP set.' })),
  nftablesFilterAllowAction: optional(
    anyCase(['Accept', 'Return'], { description: 'What becomes of an allowed packet in the filter chains.' }),
  ),
  nftablesFilterDenyAction: optional(
    anyCase(['Drop', 'Reject'], { description: 'What becomes of a denied packet in the filter chains.' }),
  ),
  nftablesMangleAllowAction: optional(
    anyCase(['Accept', 'Return'], { description: 'What becomes of an allowed packet in the mangle chains.' }),
  ),
  nftablesMarkMask: optional(
    integer({
      minimum: 0,
      maximum: 4294967295,
      format: 'int64',
      description: 'Bits of the packet mark that are ours.',
    }),
  ),
  nftablesRefreshInterval: optional(
    string({ description: 'How often the table is compared with what it should hold.' }),
  ),
  xdpEnabled: optional(boolean({ description: 'Whether untracked deny policies are enforced in XDP.' })),
  xdpRefreshInterval: optional(
    duration({ description: 'How often XDP programs are compared with what they should be.' }),
  ),
};
