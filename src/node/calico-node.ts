// The program that runs on every node: makes itself known to the cluster, then runs the policy agent and the CNI server
// until it is told to stop. What it has put into the kernel stays when it goes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CalicoNetwork, CniServer, IpamPlugin } from '../cni/index.ts';
import {
  HostLinks,
  isDispatched,
  LinuxDataplane,
  NftablesDataplane,
  PodLinks,
  VxlanOverlay,
} from '../dataplane/index.ts';
import type { Datastore } from '../datastore/index.ts';
import { Felix, Upkeep } from '../felix/index.ts';
import { FollowedSources, IpamClient } from '../ipam/index.ts';
import { Conntrack, Nftables, ownNamespace, Rtnetlink, writeSysctls } from '../kernel/index.ts';
import type { Family } from '../net/index.ts';
import { type Logger, serveMetrics, tally } from '../process/index.ts';
import { nodeAnnotations, nodes } from '../resources/index.ts';
import { ensureClusterObjects } from './cluster-objects.ts';
import { detectAddress, type NodeAddress } from './detect-address.ts';
import type { NodeOptions } from './options.ts';
import { type FelixSettings, readSettings } from './settings.ts';
import { ensureTunnels, type Tunnel } from './tunnel.ts';

/** What VXLAN adds to a packet: outer Ethernet, IP, UDP and VXLAN headers. */
const vxlanOverheads: Readonly<Record<Family, number>> = { 4: 50, 6: 70 };

export interface CalicoNode {
  /** Stops taking requests and following the cluster. Policy, routes and links stay as they are. */
  stop(): Promise<void>;
}

/** Resolves when the node is ready: policies are enforced and the CNI server answers. */
export async function startCalicoNode(
  options: NodeOptions,
  datastore: Datastore,
  log: Logger,
): Promise<CalicoNode> {
  const rtnetlink = Rtnetlink.open();
  writeSysctls(ownNamespace(), { 'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1 });

  await ensureClusterObjects(datastore, options.defaultPools);
  const settings = await readSettings(datastore, options.node, process.env);
  const addresses = await detectAddresses(rtnetlink, datastore, options);
  const ipam = new IpamClient(datastore, { view: new FollowedSources(datastore, options.node) });
  const tunnels = await ensureTunnels(datastore, ipam, options.node);
  await announce(datastore, options.node, addresses, tunnels);

  const overlays = tunnels.flatMap((tunnel) => {
    const own = addresses.get(tunnel.family);
    return own ? [new VxlanOverlay(rtnetlink, overlayOptions(own, tunnel, settings))] : [];
  });
  const isolations = tally('felix_isolated', 'Objects closed because they could not be programmed', 'kind');
  const kernelTables = Nftables.open();
  const nftables = new NftablesDataplane(kernelTables, {
    logPrefix: 'calico-packet',
    endpointToHostAction: settings.defaultEndpointToHostAction,
    forgetJudgements: forgetMarks,
    onTrouble: (error) =>
      log.error({ error }, 'Connections are judged packet by packet until the next change'),
    onIsolated: (objects, error) => {
      isolations.add('object', objects.length);
      log.error(
        { error, objects },
        'These cannot be programmed as they stand, and are closed until they change',
      );
    },
  });
  const dataplane = new LinuxDataplane({
    nftables,
    overlays,
    links: new HostLinks(rtnetlink, ownNamespace()),
  });
  const felix = new Felix({
    node: options.node,
    datastore,
    dataplane,
    log,
  });
  const upkeep = new Upkeep({
    dataplane,
    rewriteTable: () => felix.reapply(),
    intervals: {
      table: settings.nftablesRefreshInterval,
      routing: settings.routeRefreshInterval,
      settings: settings.interfaceRefreshInterval,
    },
    log,
    repairs: tally('felix_repairs', 'Objects in the kernel that another program had changed', 'part'),
  });
  felix.start();
  await felix.inSync;
  upkeep.look();

  const mtu = podMtu(addresses, tunnels, settings);
  const links = new PodLinks(rtnetlink, ownNamespace());
  const network = new CalicoNetwork({
    node: options.node,
    datastore,
    ipam,
    links,
    agent: felix,
    isGuarded: (interfaceName) => isDispatched(kernelTables, interfaceName),
    mtu,
    pluginFolders: options.paths.pluginFolders,
    log,
  });
  const server = new CniServer({
    socketPath: options.paths.cniSocket,
    deletionsPath: options.paths.cniDeletions,
    network,
    ipam: new IpamPlugin({ node: options.node, datastore, ipam }),
    log,
  });
  await server.listen();
  const metrics = settings.prometheusMetricsEnabled
    ? await serveMetrics(settings.prometheusMetricsHost, settings.prometheusMetricsPort)
    : undefined;
  writeFacts(options, mtu);
  await reportReady(datastore, options.node);
  log.info(
    { node: options.node, mtu, addresses: [...addresses.values()].map(({ address }) => address) },
    'Ready',
  );
  return {
    stop: async () => {
      await server.close();
      upkeep[Symbol.dispose]();
      metrics?.close();
      felix.stop();
      await datastore.close();
      rtnetlink.close();
    },
  };
}

async function forgetMarks(mask: number): Promise<void> {
  using conntrack = Conntrack.open();
  await conntrack.clearMarks(mask);
}

async function detectAddresses(
  rtnetlink: Rtnetlink,
  datastore: Datastore,
  { node, ip, ip6, ipMethod, ip6Method }: NodeOptions,
): Promise<Map<Family, NodeAddress>> {
  const { status } = await datastore.get(nodes, { name: node });
  const internalIps = (status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' ? [address] : [],
  );
  const found = new Map<Family, NodeAddress>();
  for (const [family, wanted, method] of [
    [4, ip, ipMethod],
    [6, ip6, ip6Method],
  ] as const) {
    const internalIp = internalIps.find((address) => address.includes(':') === (family === 6));
    const address = detectAddress(rtnetlink, { family, wanted, method, internalIp });
    if (address) found.set(family, address);
  }
  return found;
}

/** Tells the other nodes how to reach this one. */
async function announce(
  datastore: Datastore,
  node: string,
  addresses: ReadonlyMap<Family, NodeAddress>,
  tunnels: readonly Tunnel[],
): Promise<void> {
  const text = (family: Family) => {
    const own = addresses.get(family);
    return own ? `${own.address}/${own.prefixLength}` : null;
  };
  const tunnel = (family: Family) => tunnels.find((candidate) => candidate.family === family);
  // In a merge patch null takes away what an earlier start may have left.
  const annotations = {
    [nodeAnnotations.ipv4Address]: text(4),
    [nodeAnnotations.ipv6Address]: text(6),
    [nodeAnnotations.ipv4VxlanTunnelAddress]: tunnel(4)?.address ?? null,
    [nodeAnnotations.ipv6VxlanTunnelAddress]: tunnel(6)?.address ?? null,
    [nodeAnnotations.vxlanTunnelMac]: tunnel(4)?.mac ?? null,
    [nodeAnnotations.vxlanTunnelMacV6]: tunnel(6)?.mac ?? null,
  };
  await datastore.mergePatch(nodes, { name: node }, { metadata: { annotations } });
}

function overlayOptions(
  { address, link }: NodeAddress,
  { family, address: tunnelAddress, mac }: Tunnel,
  settings: FelixSettings,
) {
  return {
    family,
    nodeAddress: address,
    tunnelAddress,
    mac,
    parent: link.index,
    mtu: settings.vxlanMTU || link.mtu - vxlanOverheads[family],
    vni: settings.vxlanVNI,
    port: settings.vxlanPort,
  };
}

/** The largest packet that gets through whichever way it takes. */
function podMtu(
  addresses: ReadonlyMap<Family, NodeAddress>,
  tunnels: readonly Tunnel[],
  { vxlanMTU }: FelixSettings,
): number {
  const sizes = [...addresses].map(([family, { link }]) =>
    tunnels.some((tunnel) => tunnel.family === family)
      ? vxlanMTU || link.mtu - vxlanOverheads[family]
      : link.mtu,
  );
  return Math.min(...sizes);
}

/** Files by which other programs on the node learn its name and its pods' packet size. */
function writeFacts({ node, paths }: NodeOptions, mtu: number): void {
  for (const [path, content] of [
    [paths.nodename, node],
    [paths.mtu, String(mtu)],
  ] as const) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

async function reportReady(datastore: Datastore, node: string): Promise<void> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const { status } = await datastore.get(nodes, { name: node });
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'NetworkUnavailable');
  const condition = {
    type: 'NetworkUnavailable',
    status: 'False',
    reason: 'CalicoIsUp',
    message: 'Calico is running on this node',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  } as const;
  await datastore.mergePatch(
    nodes,
    { name: node },
    { status: { conditions: [...others, condition] } },
    { subresource: 'status' },
  );
}
