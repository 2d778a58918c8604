// What a pod and its namespace ask of their network in annotations. A pod's word goes before its namespace's, and both before
// the network configuration's. What cannot be read is refused: a pod must not start with another address than it asked for.
import {
  type Address,
  type Family,
  formatAddress,
  parseAddress,
  tryParseAddress,
  tryParseNet,
} from '../net/index.ts';
import type { Namespace, Pod } from '../resources/index.ts';
import type { NetworkConfiguration } from './configuration.ts';
import { CniError, cniErrorCodes } from './errors.ts';

const prefix = 'cni.projectcalico.org/';

export interface PodWishes {
  /** How many addresses of each family IPAM shall choose. */
  readonly count: Readonly<Record<Family, number>>;
  /** Names or CIDRs; any pool when empty. */
  readonly pools: Readonly<Record<Family, readonly string[]>>;
  /** These very addresses, from IPAM; at most one per family. Empty: IPAM chooses. */
  readonly addresses: readonly string[];
  /** These very addresses, which IPAM knows nothing of. Empty: as above. */
  readonly foreignAddresses: readonly string[];
  /** Under which the pod is reached besides its own. */
  readonly floatingAddresses: readonly Address[];
  readonly mac: string | undefined;
}

/** @throws CniError that names the annotation */
export function readWishes(
  pod: Pod,
  namespace: Namespace | undefined,
  { ipam, features }: NetworkConfiguration,
): PodWishes {
  const own = pod.metadata.annotations ?? {};
  const inherited = namespace?.metadata.annotations ?? {};
  const list = (name: string, from: Readonly<Record<string, string>>) => readList(prefix + name, from);
  const either = (name: string) => list(name, own) ?? list(name, inherited);

  const families = readFamilies(either('ipFamilies'));
  const addresses = readAddresses('ipAddrs', list('ipAddrs', own));
  const foreignAddresses = readAddresses('ipAddrsNoIpam', list('ipAddrsNoIpam', own));
  if (addresses.length > 0 && foreignAddresses.length > 0) {
    throw refused('Annotations "ipAddrs" and "ipAddrsNoIpam" exclude each other, and the pod has both');
  }
  if (foreignAddresses.length > 0 && !features.ipAddrsNoIpam) {
    throw refused(
      'The pod asks for addresses beside IPAM ("ipAddrsNoIpam"), which "feature_control.ip_addrs_no_ipam" does not allow',
    );
  }
  const floatingAddresses = readFloatingAddresses(list('floatingIPs', own), features.floatingIps);
  readSourcePrefixes(list('allowedSourcePrefixes', own));
  return {
    count: families
      ? { 4: families.has(4) ? 1 : 0, 6: families.has(6) ? 1 : 0 }
      : { 4: ipam.assignIPv4 ? 1 : 0, 6: ipam.assignIPv6 ? 1 : 0 },
    pools: { 4: either('ipv4pools') ?? ipam.ipv4Pools, 6: either('ipv6pools') ?? ipam.ipv6Pools },
    addresses,
    foreignAddresses,
    floatingAddresses,
    mac: readMac(own[`${prefix}hwAddr`]),
  };
}

/** Whether a pod's addresses are none of IPAM's. */
export function hasForeignAddresses(annotations: Readonly<Record<string, string>> = {}): boolean {
  return Boolean(readList(`${prefix}ipAddrsNoIpam`, annotations)?.length);
}

function readList(name: string, annotations: Readonly<Record<string, string>>): string[] | undefined {
  const text = annotations[name];
  if (text === undefined || text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  } catch {
    // Not JSON at all: refused below as well.
  }
  throw refused(`Annotation "${name}" is ${JSON.stringify(text)}; it must be a JSON list of strings`);
}

function readFamilies(names: readonly string[] | undefined): Set<Family> | undefined {
  if (!names?.length) return undefined;
  return new Set(
    names.map((name) => {
      if (name.toLowerCase() === 'ipv4') return 4;
      if (name.toLowerCase() === 'ipv6') return 6;
      throw refused(`Annotation "${prefix}ipFamilies" has "${name}"; it must be "IPv4" or "IPv6"`);
    }),
  );
}

/** What becomes of them is the dataplane's affair, which reads the annotation itself. */
function readFloatingAddresses(texts: readonly string[] = [], areAllowed: boolean): Address[] {
  if (texts.length > 0 && !areAllowed) {
    throw refused(
      'The pod asks for floating addresses ("floatingIPs"), which "feature_control.floating_ips" does not allow',
    );
  }
  return texts.map((text) => {
    const address = tryParseAddress(text);
    if (address) return address;
    throw refused(`Annotation "${prefix}floatingIPs" has "${text}", which is not an address`);
  });
}

/** A floating address leads to an address of the same family. @throws CniError for one that would lead nowhere */
export function checkFloatingAddresses(floating: readonly Address[], addresses: readonly string[]): void {
  const families = new Set(addresses.map((text) => parseAddress(text).family));
  for (const address of floating) {
    if (families.has(address.family)) continue;
    throw refused(
      `Annotation "${prefix}floatingIPs" has "${formatAddress(address)}", and the pod has no IPv${address.family} address that it could lead to`,
    );
  }
}

/** As canonical text, which is how the kernel tells them. */
function readAddresses(name: string, texts: readonly string[] | undefined): string[] {
  if (!texts) return [];
  // As upstream: who asks for certain addresses, and names none, has made a mistake.
  if (texts.length === 0) throw refused(`Annotation "${prefix}${name}" is an empty list`);
  const families = new Set<Family>();
  return texts.map((text) => {
    const address = tryParseAddress(text);
    if (!address) throw refused(`Annotation "${prefix}${name}" has "${text}", which is not an address`);
    if (families.has(address.family)) {
      throw refused(`Annotation "${prefix}${name}" has two IPv${address.family} addresses; one is the most`);
    }
    families.add(address.family);
    return formatAddress(address);
  });
}

function readMac(text: string | undefined): string | undefined {
  if (!text) return undefined;
  // An odd first byte is a group's address, which no single link can have.
  if (/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(text)) return text.toLowerCase();
  throw refused(`Annotation "${prefix}hwAddr" is "${text}", which is not the MAC address of one link`);
}

/** Checked here already, so that a wrong one is told at once; what they allow is the dataplane's to know. */
function readSourcePrefixes(texts: readonly string[] = []): void {
  for (const text of texts) {
    if (tryParseNet(text)) continue;
    throw refused(`Annotation "${prefix}allowedSourcePrefixes" has "${text}", which is not a CIDR`);
  }
}

function refused(message: string): CniError {
  return new CniError(cniErrorCodes.failed, message);
}
