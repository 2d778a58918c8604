// FelixConfiguration, part: the iptables and nftables dataplanes, and XDP beside them. Declarations only.
import { arrayOf, boolean, integer, integerOrString, oneOf, optional, string } from '../../field.ts';
import { anyCase, duration } from './shapes.ts';

export const tables = {
  genericXDPEnabled: optional(boolean()),
  ipsetsRefreshInterval: optional(duration()),
  iptablesBackend: optional(oneOf(['Legacy', 'NFT', 'Auto'], { pattern: '^(?i)(Auto|Legacy|NFT)?$' })),
  iptablesFilterAllowAction: optional(anyCase(['Accept', 'Return'])),
  iptablesFilterDenyAction: optional(anyCase(['Drop', 'Reject'])),
  iptablesLockProbeInterval: optional(duration()),
  iptablesMangleAllowAction: optional(anyCase(['Accept', 'Return'])),
  iptablesMarkMask: optional(integer({ minimum: 0, maximum: 4294967295, format: 'int64' })),
  iptablesNATOutgoingInterfaceFilter: optional(string()),
  iptablesPostWriteCheckInterval: optional(duration()),
  iptablesRefreshInterval: optional(duration()),
  kubeNodePortRanges: optional(arrayOf(integerOrString(), { maxItems: 7 })),
  maxIpsetSize: optional(integer()),
  nftablesFilterAllowAction: optional(anyCase(['Accept', 'Return'])),
  nftablesFilterDenyAction: optional(anyCase(['Drop', 'Reject'])),
  nftablesMangleAllowAction: optional(anyCase(['Accept', 'Return'])),
  nftablesMarkMask: optional(integer({ minimum: 0, maximum: 4294967295, format: 'int64' })),
  nftablesRefreshInterval: optional(string()),
  xdpEnabled: optional(boolean()),
  xdpRefreshInterval: optional(duration()),
};
