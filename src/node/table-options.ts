// Felix' settings as options of the calculation and the table: those of the table change at once, others with the next start.
import { Marks, type PathOptions } from '../dataplane/index.ts';
import type { FelixOptions, FelixSettings } from '../felix/index.ts';
import type { Family } from '../net/index.ts';

const podPrefix = 'cali';

/** NFT_LIMIT_PKT_BURST_DEFAULT of the kernel. */
const defaultBurst = 5;

export function calculationOptions(settings: FelixSettings): NonNullable<FelixOptions['calculation']> {
  return {
    overlay: {
      routeSource: settings.routeSource,
      routesPlainPools: ['Enabled', 'EnabledNoEncapOnly'].includes(settings.programClusterRoutes),
    },
    excludedInterfaces: settings.interfaceExclude,
    foreignWorkloads: foreignWorkloads(settings),
  };
}

/** Pods' own links are named by the CNI plugin, which begins them all alike, whatever else is on the list. */
function foreignWorkloads({ interfacePrefix }: FelixSettings): readonly string[] {
  return interfacePrefix.filter((prefix) => prefix !== podPrefix);
}

/** `overlays` are the families that have an overlay on this node. */
export function tableOptions(settings: FelixSettings, overlays: readonly Family[]) {
  const { rate } = settings.logActionRateLimit;
  return {
    logPrefix: settings.logPrefix,
    // Said where there is none, too: otherwise an earlier bound would stay. Of no burst the kernel makes its own default, which would then
    // seem to be another's work.
    logLimit: rate && { ...rate, burst: settings.logActionRateLimitBurst || defaultBurst },
    endpointToHostAction: settings.defaultEndpointToHostAction,
    failsafe: {
      inbound: settings.failsafeInboundHostPorts,
      outbound: settings.failsafeOutboundHostPorts,
    },
    marks: new Marks(settings.nftablesMarkMask),
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
    ipv6Support: settings.ipv6Support,
    foreignWorkloads: foreignWorkloads(settings),
  };
}
