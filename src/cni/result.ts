// The result of ADD in the shape of the version that was asked for.
// Source: https://github.com/containernetworking/cni/blob/main/SPEC.md section 5, and its older versions.
import { bitsOf, parseAddress } from '../net/index.ts';
import { isObject, type JsonObject } from './json-fields.ts';
import { type CniVersion, isAtLeast } from './versions.ts';

interface ResultInterface {
  readonly name: string;
  readonly mac: string;
}

export interface Attached {
  /** Absent in what an IPAM plugin answers, which makes no links. */
  readonly links?: {
    readonly host: ResultInterface;
    readonly pod: ResultInterface & { readonly namespacePath: string };
    /** Bytes. */
    readonly mtu: number;
  };
  /** Canonical text. */
  readonly addresses: readonly string[];
}

/** A pod's addresses stand alone: "10.0.0.1/32", "fd00::1/128". */
export function wholeNets(addresses: readonly string[]): string[] {
  return addresses.map((address) => `${address}/${bitsOf(parseAddress(address).family)}`);
}

/** Whole masks, no gateway. What `previous` plugins of the chain made stays in front. */
export function cniResult(
  version: CniVersion,
  { links, addresses }: Attached,
  previous: JsonObject = {},
): object {
  const nets = addresses.map((address) => {
    const { family } = parseAddress(address);
    return { family, net: `${address}/${bitsOf(family)}` };
  });
  if (!isAtLeast(version, '0.3.0')) {
    const of = (family: 4 | 6) => nets.find((net) => net.family === family);
    const [v4, v6] = [of(4), of(6)];
    return {
      cniVersion: version,
      ...(v4 && { ip4: { ip: v4.net } }),
      ...(v6 && { ip6: { ip: v6.net } }),
      dns: {},
    };
  }
  const interfaces = listIn(previous, 'interfaces');
  const podIndex = interfaces.length + 1;
  const mtu = links && isAtLeast(version, '1.1.0') && { mtu: links.mtu };
  const ips = nets.map(({ family, net }) => ({
    ...(!isAtLeast(version, '1.0.0') && { version: String(family) }),
    address: net,
    ...(links && { interface: podIndex }),
  }));
  return {
    cniVersion: version,
    ...(links && {
      interfaces: [
        ...interfaces,
        { ...links.host, ...mtu },
        { name: links.pod.name, mac: links.pod.mac, ...mtu, sandbox: links.pod.namespacePath },
      ],
    }),
    ips: [...listIn(previous, 'ips'), ...ips],
    routes: listIn(previous, 'routes'),
    dns: isObject(previous.dns) ? previous.dns : {},
  };
}

/** The addresses in a result of any version, without prefix lengths. */
export function addressesIn(result: JsonObject): string[] {
  const entries = [...listIn(result, 'ips'), result.ip4, result.ip6].filter(isObject);
  return entries.flatMap(({ address, ip }) => {
    const net = address ?? ip;
    return typeof net === 'string' ? [net.replace(/\/.*$/, '')] : [];
  });
}

/** Those of a link in the pod, of a result that may speak of several; what names no link counts where nothing names this one. */
export function addressesOf(result: JsonObject, interfaceName: string): string[] {
  const interfaces = listIn(result, 'interfaces');
  const ips = listIn(result, 'ips').map((entry) => {
    const { interface: index } = isObject(entry) ? entry : {};
    return { entry, link: typeof index === 'number' ? interfaces[index] : undefined };
  });
  const isOurs = (link: unknown) => isObject(link) && link.name === interfaceName && Boolean(link.sandbox);
  const ours = ips.filter(({ link }) => isOurs(link));
  const counted = ours.length > 0 ? ours : ips.filter(({ link }) => !isObject(link));
  return addressesIn({ ...result, ips: counted.map(({ entry }) => entry) });
}

/** What the result says of a link in the pod, or on the host; undefined before 1.1.0, whose results say nothing of it. */
export function mtuOf(result: JsonObject, interfaceName: string, where: 'host' | 'pod'): number | undefined {
  const link = listIn(result, 'interfaces')
    .filter(isObject)
    .find(({ name, sandbox }) => name === interfaceName && Boolean(sandbox) === (where === 'pod'));
  return typeof link?.mtu === 'number' ? link.mtu : undefined;
}

function listIn(result: JsonObject, key: string): readonly unknown[] {
  const list = result[key];
  return Array.isArray(list) ? list : [];
}
