// FelixConfiguration, part: overlays: VXLAN, IP-in-IP, WireGuard. Declarations only.
import { boolean, integer, optional, string } from '../../field.ts';
import { duration } from './shapes.ts';

export const overlay = {
  ipipEnabled: optional(
    boolean({ description: 'Whether the IP-in-IP device exists, whatever the pools say.' }),
  ),
  ipipMTU: optional(integer({ description: 'MTU of the IP-in-IP device; found out when 0.' })),
  vxlanEnabled: optional(
    boolean({ description: 'Whether the VXLAN device exists, whatever the pools say.' }),
  ),
  vxlanMTU: optional(integer({ description: 'MTU of the IPv4 VXLAN device; found out when 0.' })),
  vxlanMTUV6: optional(integer({ description: 'MTU of the IPv6 VXLAN device; found out when 0.' })),
  vxlanPort: optional(integer({ description: 'UDP port of VXLAN.' })),
  vxlanVNI: optional(integer({ description: 'Network identifier of VXLAN.' })),
  wireguardEnabled: optional(boolean({ description: 'Whether IPv4 traffic between nodes is encrypted.' })),
  wireguardEnabledV6: optional(boolean({ description: 'Whether IPv6 traffic between nodes is encrypted.' })),
  wireguardHostEncryptionEnabled: optional(
    boolean({ description: 'Whether traffic of the hosts themselves is encrypted too.' }),
  ),
  wireguardInterfaceName: optional(string({ description: 'Name of the IPv4 WireGuard device.' })),
  wireguardInterfaceNameV6: optional(string({ description: 'Name of the IPv6 WireGuard device.' })),
  wireguardKeepAlive: optional(duration({ description: 'How often an idle peer is greeted; never when 0.' })),
  wireguardListeningPort: optional(integer({ description: 'UDP port of WireGuard over IPv4.' })),
  wireguardListeningPortV6: optional(integer({ description: 'UDP port of WireGuard over IPv6.' })),
  wireguardMTU: optional(integer({ description: 'MTU of the IPv4 WireGuard device; found out when 0.' })),
  wireguardMTUV6: optional(integer({ description: 'MTU of the IPv6 WireGuard device; found out when 0.' })),
  wireguardRoutingRulePriority: optional(
    integer({ description: 'Priority of the rule that sends traffic to WireGuard.' }),
  ),
  wireguardThreadingEnabled: optional(
    boolean({ description: "Whether WireGuard's packets are handled by threads of their own." }),
  ),
};
