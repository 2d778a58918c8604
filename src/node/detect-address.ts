// Finds out which of its addresses a node is known by on the underlay.
// Methods: https://docs.tigera.io/calico/latest/reference/configure-calico-node#ip-autodetection-methods
import { lookup } from 'node:dns/promises';
import { tunnelFamily } from '../dataplane/index.ts';
import { InetSocket, type Link, type LinkAddress, type Rtnetlink } from '../kernel/index.ts';
import { cidrContains, type Family, parseAddress, tryParseAddress, tryParseCidr } from '../net/index.ts';

export interface NodeAddress {
  /** Canonical text. */
  readonly address: string;
  readonly prefixLength: number;
  /** The link that carries it. */
  readonly link: Link;
}

export interface DetectionRequest {
  /** Descriptor of the node's namespace. */
  readonly namespace: number;
  readonly family: Family;
  /** "autodetect", "none", or an address with or without its prefix length. */
  readonly wanted: string;
  readonly method: string;
  /** The address by which Kubernetes knows the node, for the method that asks for it. */
  readonly internalIp: string | undefined;
}

/** Names of links that carry pods' or other programs' traffic, not the node's own. */
export const neverUnderlay =
  /^(docker.*|cbr.*|dummy.*|podman.*|virbr.*|lxcbr.*|veth.*|lo|br-.*|cali.*|tunl.*|flannel.*|kube-ipvs.*|cni.*|vxlan\.calico.*|vxlan-v6\.calico.*|wireguard\.cali.*|wg-v6\.cali.*|nodelocaldns.*)$/;

/** Whether it carries the traffic of others; a tunnel of ours does under any name. */
export function isForOthers(link: Link): boolean {
  return neverUnderlay.test(link.name) || tunnelFamily(link) !== undefined;
}

/**
 * Undefined when none is wanted.
 * @throws Error that says what was looked for and what there is, when there is no such address
 */
export async function detectAddress(
  rtnetlink: Rtnetlink,
  request: DetectionRequest,
): Promise<NodeAddress | undefined> {
  const { family, wanted, method } = request;
  if (wanted === 'none') return undefined;
  const links = new Map(rtnetlink.links().map((link) => [link.index, link]));
  const all = rtnetlink.addresses().flatMap((address) => {
    const link = links.get(address.link);
    // Scope 0 leaves out link-local and loopback addresses.
    return link?.up && address.scope === 0 && parseAddress(address.address).family === family
      ? [{ ...address, link }]
      : [];
  });
  const candidates = all.toSorted((a, b) => a.link.index - b.link.index);
  const found =
    wanted === 'autodetect'
      ? await chooseByMethod(candidates, request)
      : all.find(({ address }) => address === wanted.split('/')[0]);
  if (!found) {
    const there = all.map(({ address, link }) => `${address} on "${link.name}"`).join(', ') || 'none at all';
    const looked = wanted === 'autodetect' ? `one by the method "${method}"` : `"${wanted}"`;
    throw new Error(
      `Cannot find this node's IPv${family} address: looked for ${looked}, and there is ${there}`,
    );
  }
  return { address: found.address, prefixLength: found.prefixLength, link: found.link };
}

type Candidate = Omit<LinkAddress, 'link'> & { link: Link };

/** Methods that name what they want are taken at their word; those that take what there is pass over what is not the node's own. */
async function chooseByMethod(
  candidates: readonly Candidate[],
  { method, family, internalIp, namespace }: DetectionRequest,
): Promise<Candidate | undefined> {
  const [name = '', value = ''] = method.split(/=(.*)/s);
  const isAny = (test: (pattern: string) => boolean) =>
    value.split(',').some((pattern) => test(pattern.trim()));
  const own = candidates.filter(({ link }) => !isForOthers(link));
  switch (name) {
    case 'first-found':
      return own[0];
    case 'skip-interface':
      return own.find(({ link }) => !isAny((pattern) => new RegExp(pattern).test(link.name)));
    case 'interface':
      return candidates.find(({ link }) => isAny((pattern) => new RegExp(pattern).test(link.name)));
    case 'cidr':
      return candidates.find(({ address }) =>
        isAny((pattern) => {
          const cidr = tryParseCidr(pattern);
          const parsed = tryParseAddress(address);
          return cidr !== undefined && parsed !== undefined && cidrContains(cidr, parsed);
        }),
      );
    case 'can-reach': {
      const source = await sourceTowards(value, family, namespace);
      return candidates.find(({ address }) => address === source);
    }
    case 'kubernetes-internal-ip':
      return candidates.find(({ address }) => address === internalIp);
    default:
      throw new Error(
        `"${method}" is not a method of finding the node's address; use "first-found", "can-reach=", "interface=", "skip-interface=", "cidr=" or "kubernetes-internal-ip"`,
      );
  }
}

/** The address that the kernel would send from, to a destination given by address or name. Sends nothing. @throws Error when there is no way */
async function sourceTowards(destination: string, family: Family, namespace: number): Promise<string> {
  try {
    const { address } = await lookup(destination, { family });
    using socket = InetSocket.open({ namespace, family, type: 'datagram' });
    socket.connect({ address, port: 53 });
    return socket.localAddress().address;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot find the address by which this node reaches "${destination}": ${why}`, { cause });
  }
}
