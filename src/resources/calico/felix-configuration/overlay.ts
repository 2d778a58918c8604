// FelixConfiguration, part: overlays: VXLAN, IP-in-IP, WireGuard. Declarations only.
import { boolean, integer, optional, string } from '../../field.ts';
import { duration } from './shapes.ts';

export const overlay = {
  ipipEnabled: optional(boolean()),
  ipipMTU: optional(integer()),
  vxlanEnabled: optional(boolean()),
  vxlanMTU: optional(integer()),
  vxlanMTUV6: optional(integer()),
  vxlanPort: optional(integer()),
  vxlanVNI: optional(integer()),
  wireguardEnabled: optional(boolean()),
  wireguardEnabledV6: optional(boolean()),
  wireguardHostEncryptionEnabled: optional(boolean()),
  wireguardInterfaceName: optional(string()),
  wireguardInterfaceNameV6: optional(string()),
  wireguardKeepAlive: optional(duration()),
  wireguardListeningPort: optional(integer()),
  wireguardListeningPortV6: optional(integer()),
  wireguardMTU: optional(integer()),
  wireguardMTUV6: optional(integer()),
  wireguardRoutingRulePriority: optional(integer()),
  wireguardThreadingEnabled: optional(boolean()),
};
