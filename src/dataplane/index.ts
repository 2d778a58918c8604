// The door of the dataplane room: from desired state to the kernel.
export { isDispatched } from './endpoints/dispatch.ts';
export { HostInterfaces } from './endpoints/host-interfaces.ts';
export { HostLinks } from './endpoints/host-links.ts';
export type { DeviceRoutes } from './endpoints/next-hop.ts';
export { type PodLink, type PodLinkRequest, PodLinks } from './endpoints/pod-links.ts';
export { type KernelFeature, kernelFeatures, lackingFeatures } from './kernel-features.ts';
export { type DoubtedPart, LinuxDataplane } from './linux-dataplane.ts';
export { ArpTable } from './nftables/arp-table.ts';
export { NftablesDataplane } from './nftables/driver.ts';
export { defaultFailsafePorts } from './nftables/failsafe.ts';
export { removeLeftovers } from './nftables/leftovers.ts';
export { Marks } from './nftables/marks.ts';
export { defaultPath, type PathOptions } from './nftables/path/index.ts';
export { ClusterRoutes } from './overlay/cluster-routes.ts';
export { NoTunnel } from './overlay/no-tunnel.ts';
export type { OverlayFault, Way } from './overlay/overlays.ts';
export { VxlanOverlay, type VxlanOverlayOptions } from './overlay/vxlan-overlay.ts';
export { uninstallDataplane } from './uninstall.ts';
