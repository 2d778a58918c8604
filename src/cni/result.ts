// The result of ADD in the shape of the version that was asked for.
// Source: https://github.com/containernetworking/cni/blob/main/SPEC.md section 5, and its older versions.
import { tryParseAddress } from '../net/index.ts';
import type { CniVersion } from './versions.ts';

export interface AttachedPod {
  readonly hostInterface: { readonly name: string; readonly mac: string };
  readonly podInterface: { readonly name: string; readonly mac: string; readonly namespacePath: string };
  readonly addresses: readonly string[];
}

/** A pod's addresses stand alone: whole masks, no gateway. */
export function cniResult(
  version: CniVersion,
  { hostInterface, podInterface, addresses }: AttachedPod,
): object {
  const nets = addresses.map((address) => {
    const family = tryParseAddress(address)?.family ?? 4;
    return { family, net: `${address}/${family === 4 ? 32 : 128}` };
  });
  if (version === '0.1.0' || version === '0.2.0') {
    const of = (family: 4 | 6) => nets.find((net) => net.family === family);
    const [v4, v6] = [of(4), of(6)];
    return {
      cniVersion: version,
      ...(v4 && { ip4: { ip: v4.net } }),
      ...(v6 && { ip6: { ip: v6.net } }),
      dns: {},
    };
  }
  const saysFamily = version.startsWith('0.');
  return {
    cniVersion: version,
    interfaces: [
      hostInterface,
      { name: podInterface.name, mac: podInterface.mac, sandbox: podInterface.namespacePath },
    ],
    ips: nets.map(({ family, net }) => ({
      ...(saysFamily && { version: String(family) }),
      address: net,
      interface: 1,
    })),
    routes: [],
    dns: {},
  };
}
