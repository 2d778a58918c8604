// What can be said of a packet's path beside policy: parameters of Felix, with the defaults of upstream.
import type { Cidr, Family, Range } from '../../../net/index.ts';

export interface PathOptions {
  /** What becomes of a packet that policy denies. */
  readonly denyAction: 'Drop' | 'Reject';
  /** Towards what pods' traffic keeps its source besides pools: nothing, or nodes. */
  readonly natOutgoingExclusions: 'IPPoolsOnly' | 'IPPoolsAndHostIPs';
  /** For translated sources; any when absent. */
  readonly natPorts?: Range<number>;
  /** The source that a family's traffic gets; that of the interface that it leaves by when absent. */
  readonly natAddresses: Readonly<Partial<Record<Family, string>>>;
  /** Only what leaves by this interface is translated, or by those whose names begin so when it ends in "+" or "*"; empty for all. */
  readonly natInterface: string;
  /** What becomes of a packet to a service's address that no service has. */
  readonly serviceLoopPrevention: 'Drop' | 'Reject' | 'Disabled';
  /** UDP port of the overlay, and the families that have one here: none when the port is anybody's. */
  readonly vxlan: { readonly port: number; readonly families: readonly Family[] };
  /** Whose packets the overlay takes besides those of nodes. */
  readonly externalNodes: readonly Cidr[];
  readonly allowVxlanFromPods: boolean;
  readonly allowIpipFromPods: boolean;
  /** Whether pods may use the sources that their annotation names. */
  readonly workloadSourceSpoofing: 'Disabled' | 'Any';
  /** Whether pods are reached by the further addresses that their annotation names. */
  readonly floatingIPs: 'Enabled' | 'Disabled';
  /** Without it pods have no IPv6: what they send is dropped, for there is nothing else that would judge it. */
  readonly ipv6Support: boolean;
  /** How names of interfaces begin that lead to workloads of somebody else: nothing passes there, and no host endpoint covers one. */
  readonly foreignWorkloads: readonly string[];
}

export const defaultPath: PathOptions = {
  denyAction: 'Drop',
  natOutgoingExclusions: 'IPPoolsOnly',
  natAddresses: {},
  natInterface: '',
  serviceLoopPrevention: 'Drop',
  vxlan: { port: 4789, families: [] },
  externalNodes: [],
  allowVxlanFromPods: false,
  allowIpipFromPods: false,
  workloadSourceSpoofing: 'Disabled',
  floatingIPs: 'Disabled',
  ipv6Support: true,
  foreignWorkloads: [],
};
