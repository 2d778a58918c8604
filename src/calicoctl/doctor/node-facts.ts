// What this machine itself shows of its network: files, links, tables, kernel. Read where calicoctl runs on a node, or in its
// calico-node container, whose network is the node's.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { Expression, ForeignChain, Link, Nftables, Route } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import { felixHealthUrl } from '../../process/index.ts';
import type { BgpStatus } from '../node/bgp-status.ts';
import { type KernelNeed, kernelNeeds } from '../node/kernel-needs.ts';
import { type CniFacts, type CniPlaces, readCniFacts, usualCniPlaces } from './cni-facts.ts';

export interface NodeFacts {
  /** As Calico calls this node. */
  readonly node: string;
  readonly cni: CniFacts;
  /** Where calico-node serves its readiness, as far as our own environment says. */
  readonly healthUrl: string;
  /** What calico-node says of its readiness, a sentence a line; "ok" when it is; undefined when nobody answers. */
  readonly readiness: string | undefined;
  /** Undefined where this node speaks no BGP. */
  readonly bgp: BgpStatus | undefined;
  readonly links: readonly NodeLink[];
  /** The link by which other machines are reached; the widest of several. Undefined where no route says so. */
  readonly underlay: NodeLink | undefined;
  /** Bytes, as calico-node has told the CNI plugin; undefined when it has not. */
  readonly podMtu: number | undefined;
  readonly kernel: readonly KernelNeed[];
  /** Base chains of other tables of nf_tables, iptables' among them. */
  readonly otherChains: readonly OtherChain[];
  /** Base chains of the old iptables that drop what no rule accepts: "FORWARD". */
  readonly legacyDrops: readonly string[];
  /** UDP datagrams since this machine started: those received, and those dropped for a wrong checksum. */
  readonly udp: { readonly received: number; readonly checksumErrors: number };
}

export interface OtherChain extends ForeignChain {
  /** Its last rule lets nothing go on to the policy. */
  readonly endsWith?: 'drop' | 'reject';
}

export interface NodeLink extends Link {
  /** Kernel driver of a physical link. */
  readonly driver?: string;
  /** Where it is Calico's tunnel, under whatever name: of which family. */
  readonly tunnel?: Family;
}

export interface NodePlaces {
  /** Below which calico-node keeps all of its files; undefined for the usual places. */
  readonly root: string | undefined;
  readonly nodename: string;
  readonly mtu: string;
  readonly cni: CniPlaces;
  readonly healthUrl: string;
}

/** The routing table that every packet comes to, of rtnetlink(7). */
const mainTable = 254;

export const usualPlaces: NodePlaces = {
  root: undefined,
  nodename: '/var/lib/calico/nodename',
  mtu: '/var/lib/calico/mtu',
  cni: usualCniPlaces(process.env),
  healthUrl: felixHealthUrl(process.env, 'readiness'),
};

/** Undefined where this machine is no node of Calico's. @throws KernelError when the kernel denies us its listings */
export async function readNodeFacts(places: NodePlaces = usualPlaces): Promise<NodeFacts | undefined> {
  if (!existsSync(places.nodename)) return undefined;
  const [{ Nftables, Rtnetlink }, { tunnelFamily }] = await Promise.all([
    import('../../kernel/index.ts'),
    import('../../dataplane/index.ts'),
  ]);
  using rtnetlink = Rtnetlink.open();
  using nftables = Nftables.open();
  const links = rtnetlink.links().map((link) => {
    const tunnel = tunnelFamily(link);
    return { ...withDriver(link), ...(tunnel && { tunnel }) };
  });
  const mtu = existsSync(places.mtu) ? Number(readFileSync(places.mtu, 'utf8')) : Number.NaN;
  return {
    node: readFileSync(places.nodename, 'utf8').trim(),
    cni: readCniFacts(places.cni),
    healthUrl: places.healthUrl,
    readiness: await readReadiness(places.healthUrl),
    bgp: await readBgp(places),
    links,
    underlay: underlayAmong(links, rtnetlink.routes()),
    podMtu: Number.isInteger(mtu) ? mtu : undefined,
    kernel: await kernelNeeds(),
    otherChains: readOtherChains(nftables),
    legacyDrops: readLegacyDrops(),
    udp: readUdp(readFileSync('/proc/net/snmp', 'utf8')),
  };
}

async function readReadiness(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    return (await response.text()).trim();
  } catch {
    // Nobody listens there: that is the answer.
    return undefined;
  }
}

async function readBgp({ root }: NodePlaces): Promise<BgpStatus | undefined> {
  const [{ bgpPaths, readBgpReport }, { bgpStatus }] = await Promise.all([
    import('../../bgp/index.ts'),
    import('../node/bgp-status.ts'),
  ]);
  const paths = bgpPaths(root);
  const status = await bgpStatus(paths);
  // Silence alone is no fault: files of an earlier BIRD stay when nodes turn to a tunnel.
  const isMissed = readBgpReport(paths.report)?.trouble !== undefined;
  return status.isRunning || isMissed ? status : undefined;
}

function withDriver(link: Link): NodeLink {
  const path = `/sys/class/net/${link.name}/device/driver`;
  return existsSync(path) ? { ...link, driver: basename(readlinkSync(path)) } : link;
}

/** Of a node without a default route, a link that has a network at all. */
function underlayAmong(links: readonly NodeLink[], routes: readonly Route[]): NodeLink | undefined {
  const others = routes.filter(({ table, type }) => table === mainTable && type === 'unicast');
  const defaults = others.filter(({ destination }) => destination === '0.0.0.0/0' || destination === '::/0');
  const indexes = new Set((defaults.length > 0 ? defaults : others).map(({ link }) => link));
  return links
    .filter(({ index, name }) => indexes.has(index) && !/^(cali|vxlan)/.test(name))
    .toSorted((a, b) => b.mtu - a.mtu)[0];
}

function readOtherChains(nftables: Nftables): OtherChain[] {
  const chains = nftables.listBaseChains().filter(({ table }) => !/^calico(-|$)/.test(table.name));
  return chains.map((chain) => {
    // Elsewhere a last rule says little: kube-proxy's own chains have many.
    if (chain.hook.hook !== 'forward') return chain;
    const last = nftables.listRules(chain.table).findLast((rule) => rule.chain === chain.name);
    const endsWith = last && endOf(last.expressions);
    return endsWith ? { ...chain, endsWith } : chain;
  });
}

/** What a rule does with every packet that comes to it; undefined when it asks anything of a packet first, or lets it go on. */
function endOf(expressions: readonly Expression[]): OtherChain['endsWith'] {
  const [end, ...before] = expressions.toReversed();
  if (!end || !before.every(({ kind }) => kind === 'counter' || kind === 'log')) return undefined;
  if (end.kind === 'verdict') return end.verdict.code === 'drop' ? 'drop' : undefined;
  // iptables writes its own target, by its name.
  const isReject =
    end.kind === 'reject' ||
    (end.kind === 'other' &&
      (end.name === 'reject' || (end.name === 'target' && Buffer.from(end.data).includes('REJECT'))));
  return isReject ? 'reject' : undefined;
}

/** The old iptables keeps its tables apart from nf_tables, and only its own tool shows them. Empty where it is not in use. */
function readLegacyDrops(): string[] {
  const names = '/proc/net/ip_tables_names';
  if (!existsSync(names) || !readFileSync(names, 'utf8').split('\n').includes('filter')) return [];
  try {
    const text = execFileSync('iptables-legacy-save', ['-t', 'filter'], { encoding: 'utf8', stdio: 'pipe' });
    return [...text.matchAll(/^:(\S+) DROP /gm)].map(([, chain = '']) => chain);
  } catch {
    // Without the tool nothing can be said of them.
    return [];
  }
}

/** From the two lines of /proc/net/snmp that are about UDP: names, and values in the same order. */
function readUdp(text: string): NodeFacts['udp'] {
  const [names = '', values = ''] = text.split('\n').filter((line) => line.startsWith('Udp: '));
  const value = (name: string) => Number(values.split(' ')[names.split(' ').indexOf(name)] ?? 0);
  return { received: value('InDatagrams'), checksumErrors: value('InCsumErrors') };
}
