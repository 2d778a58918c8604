// Felix' settings as the table's options: what stands in the table and changes with a setting, at once.
import type { PathOptions } from '../dataplane/index.ts';
import type { FelixSettings } from '../felix/index.ts';
import type { Family } from '../net/index.ts';

/** `overlays` are the families that have an overlay on this node. */
export function tableOptions(settings: FelixSettings, overlays: readonly Family[]) {
  const { rate } = settings.logActionRateLimit;
  return {
    logPrefix: settings.logPrefix,
    ...(rate && { logLimit: { ...rate, burst: settings.logActionRateLimitBurst } }),
    endpointToHostAction: settings.defaultEndpointToHostAction,
    failsafe: {
      inbound: settings.failsafeInboundHostPorts,
      outbound: settings.failsafeOutboundHostPorts,
    },
    path: pathOptions(settings, overlays),
  };
}

function pathOptions(settings: FelixSettings, overlays: readonly Family[]): PathOptions {
  const { range } = settings.natPortRange;
  return {
    denyAction: settings.nftablesFilterDenyAction,
    natOutgoingExclusions: settings.natOutgoingExclusions,
    ...(range && { natPorts: range }),
    natAddresses: settings.natOutgoingAddress,
    natInterface: settings.iptablesNATOutgoingInterfaceFilter,
    serviceLoopPrevention: settings.serviceLoopPrevention,
    vxlan: { port: settings.vxlanPort, families: overlays },
    externalNodes: settings.externalNodesList,
    allowVxlanFromPods: settings.allowVXLANPacketsFromWorkloads,
    allowIpipFromPods: settings.allowIPIPPacketsFromWorkloads,
    workloadSourceSpoofing: settings.workloadSourceSpoofing,
    floatingIPs: settings.floatingIPs,
  };
}
