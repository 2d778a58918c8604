// The program that runs on every node: makes itself known to the cluster, then runs the policy agent and the CNI server
// until it is told to stop. What it has put into the kernel stays when it goes.
import { setTimeout as delay } from 'node:timers/promises';
import { CalicoNetwork, CniServer, IpamPlugin } from '../cni/index.ts';
import {
  ArpTable,
  ClusterRoutes,
  HostInterfaces,
  HostLinks,
  hasNetwork,
  isDispatched,
  LinuxDataplane,
  lackingFeatures,
  NftablesDataplane,
  NoTunnel,
  PodLinks,
  VxlanOverlay,
  type Way,
} from '../dataplane/index.ts';
import { type Datastore, SoundDatastore } from '../datastore/index.ts';
import { anyParameters, Felix, type FelixSettings, FollowedSettings, Upkeep } from '../felix/index.ts';
import { FollowedSources, IpamClient } from '../ipam/index.ts';
import { Conntrack, Nftables, ownNamespace, Rtnetlink, writeSysctls } from '../kernel/index.ts';
import { type Cidr, cidrOf, type Family, parseAddress } from '../net/index.ts';
import { type Logger, tally } from '../process/index.ts';
import { nodeAnnotations, nodes } from '../resources/index.ts';
import { announce, writeFacts } from './announce.ts';
import { AnnouncedInterfaces } from './announced-interfaces.ts';
import { startBgp } from './bgp.ts';
import { ensureClusterObjects } from './cluster-objects.ts';
import { detectAddress, isForOthers, type NodeAddress } from './detect-address.ts';
import { deviceRoutes } from './device-routes.ts';
import { FollowedFacts } from './followed-facts.ts';
import { reportNetwork, reportNoNetwork } from './network-condition.ts';
import { Observability } from './observability.ts';
import type { NodeOptions } from './options.ts';
import { mtuFault, overlayMtu, podMtu } from './packet-size.ts';
import { calculationOptions, tableOptions } from './table-options.ts';
import { takeOver } from './take-over.ts';
import { ensureTunnels, type Tunnel } from './tunnel.ts';
import { untilAvailable } from './until-available.ts';
import { untilDone } from './until-done.ts';
import { WaysToOthers } from './ways-to-others.ts';

export interface CalicoNode {
  /** Resolves when policies are enforced and the CNI server answers. Rejects with what keeps the node from it, or when it is stopped before. */
  readonly ready: Promise<void>;
  /** Stops taking requests and following the cluster, also before all of it has begun. Policy, routes and links stay as they are. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly options: NodeOptions;
  /** Closed by `stop`. */
  readonly datastore: Datastore;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** A setting has changed that only a new start takes up. */
  readonly onRestartDue: (why: string) => void;
}

/** Returns at once: what a start waits for may need a change of the very settings that it was begun with. */
export function startCalicoNode(start: StartOptions): CalicoNode {
  const ending = new AbortController();
  const begun: (() => unknown)[] = [];
  const ready = begin(start, { signal: ending.signal, onStop: (stop) => begun.push(stop) });
  // Who stops it early has no need to hear that it did not get ready.
  ready.catch(() => {});
  return {
    ready,
    stop: async () => {
      ending.abort(new Error('calico-node is shutting down'));
      await ready.catch(() => {});
      for (const stop of begun.toReversed()) await stop();
    },
  };
}

interface Course {
  /** Aborted when nothing more is to be begun. */
  readonly signal: AbortSignal;
  /** Takes what ends a part that has begun; parts end in reverse order. */
  readonly onStop: (stop: () => unknown) => void;
}

async function begin(start: StartOptions, { signal, onStop }: Course): Promise<void> {
  const { options, environment, log, onRestartDue } = start;
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  signal.addEventListener('abort', () => ended.reject(signal.reason));
  const unlessEnded = <T>(work: Promise<T>) => Promise.race([work, ended.promise]);
  const datastore = new SoundDatastore(start.datastore, (fault, error) => log.error({ error }, fault), {
    node: options.node,
  });
  onStop(() => datastore.close());
  const rtnetlink = Rtnetlink.open();
  onStop(() => rtnetlink.close());

  warnOfKernel(log);
  warnOfIpip(options, log);
  const followed = new FollowedSettings({
    node: options.node,
    datastore,
    environment,
    file: options.paths.felixConfiguration,
    onFault: (fault) => log.warn(fault),
  });
  onStop(() => followed.stop());
  // Alive, and not ready, for as long as the cluster's own settings are not known.
  const observability = new Observability(followed.ofNode, log);
  onStop(() => observability.close());
  await unlessEnded(observability.apply(followed.ofNode));
  const whenAvailable = <T>(attempt: () => Promise<T>) =>
    unlessEnded(untilAvailable(attempt, { log, signal }));
  /** Tries it at least once; what the cluster is told keeps the node from nothing else. */
  const whenPossible = (attempt: () => Promise<void>, failure: string) =>
    whenAvailable(attempt).catch(() => {
      signal.throwIfAborted();
      void untilDone(attempt, { log, signal, failure });
    });
  await whenPossible(
    () => ensureClusterObjects(datastore, options, ownNetworks(rtnetlink), log),
    'Cannot make the objects that every cluster has',
  );
  const kernelTables = Nftables.open();
  // With a node that was started anew, what an earlier calico-node said is not so any more.
  if (!hasNetwork(kernelTables, rtnetlink)) {
    await whenPossible(
      () => reportNoNetwork(datastore, options.node),
      'Cannot tell the cluster that this node has no network yet',
    );
  }
  const settings = await unlessEnded(followed.first);
  if (settings.ipForwarding === 'Enabled')
    writeSysctls(ownNamespace(), { 'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1 });
  await unlessEnded(observability.apply(settings));
  const addresses = await whenAvailable(() => detectAddresses(rtnetlink, datastore, options));
  const ipam = new IpamClient(datastore, {
    view: new FollowedSources(datastore, options.node),
    report: (sentence) => log.warn(sentence),
  });
  // Where others make the network, pools say nothing of it.
  const hasTunnels = options.backend !== 'none';
  const haveTunnels = () => ensureTunnels(datastore, ipam, options.node);
  const { tunnels, missing } = hasTunnels ? await whenAvailable(haveTunnels) : { tunnels: [], missing: [] };
  await whenPossible(
    () => announce(datastore, options, addresses, tunnels),
    'Cannot tell the other nodes how to reach this one',
  );
  const bgp = startBgp(options, datastore, rtnetlink, log);
  onStop(() => bgp?.stop());

  const overlays = ([4, 6] as const).flatMap((family): Way[] => {
    const own = addresses.get(family);
    const tunnel = own && tunnels.find((candidate) => candidate.family === family);
    if (tunnel) {
      const fault = mtuFault(family, own, settings);
      if (fault) log.warn(fault);
      return [new VxlanOverlay(rtnetlink, overlayOptions(own, tunnel, settings))];
    }
    const routes =
      own && !settings.routeSyncDisabled
        ? [new ClusterRoutes(rtnetlink, { family, parent: own.link.index })]
        : [];
    return [new NoTunnel(rtnetlink, family), ...routes];
  });
  const ways = new WaysToOthers(log);
  const isolations = tally('felix_isolated', 'Objects closed because they could not be programmed', 'kind');
  const families = tunnels.map(({ family }) => family);
  const keepsConnections = settings.establishedConnections === 'Keep';
  const nftables = new NftablesDataplane(kernelTables, {
    ...tableOptions(settings, families),
    forgetJudgements: forgetMarks,
    keepsConnections,
    onTrouble: (error) => log.error({ error }, 'Connections are judged packet by packet until this succeeds'),
    onIsolated: (objects, error) => {
      isolations.add('object', objects.length);
      log.error(
        { error, objects },
        'These cannot be programmed as they stand, and are closed until they change',
      );
    },
  });
  onStop(async () => {
    await Promise.race([nftables.settled(), delay(settleMs, undefined, { ref: false })]);
    // The table stays, without an owner until the next start.
    kernelTables.close();
  });
  const readRoutes = () => {
    const own = new Set(rtnetlink.addresses().map(({ address }) => address));
    return deviceRoutes(settings, (address) => own.has(address));
  };
  const { routes, faults } = readRoutes();
  for (const fault of faults) log.warn(fault);
  const hostLinks = new HostLinks(rtnetlink, ownNamespace(), {
    routes,
    removeExternalRoutes: settings.removeExternalRoutes,
    keepsRoutes: !settings.routeSyncDisabled,
    forwards: settings.ipForwarding === 'Enabled',
  });
  const arp = new ArpTable(kernelTables, nftables.isOwned);
  const dataplane = new LinuxDataplane({
    nftables,
    arp,
    overlays,
    links: hostLinks,
    onOverlayFaults: (faults) => ways.lack(faults),
  });
  onStop(() => dataplane.stop());
  const felix = new Felix({
    node: options.node,
    datastore,
    dataplane,
    log,
    calculation: calculationOptions(settings),
  });
  onStop(() => felix.stop());
  observability.observe(felix, ways);
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
  onStop(() => upkeep[Symbol.dispose]());
  const announced = new AnnouncedInterfaces(datastore, options.node, log);
  onStop(() => announced.stop());
  const facts = new FollowedFacts({
    node: options.node,
    datastore,
    facts: { addresses, tunnels, missing },
    hasTunnels,
    ensureTunnels: haveTunnels,
    detect: () => detectAddresses(rtnetlink, datastore, options),
    pollMs: options.addressPollMs,
    log,
    onOther: onRestartDue,
  });
  // Two at once would each draw an address for the same tunnel.
  onStop(() => Promise.race([facts.stop(), delay(settleMs, undefined, { ref: false })]));
  const interfaces = new HostInterfaces({ rtnetlink }).watch((name, addresses) => {
    felix.setInterface(name, addresses);
    announced.set(name, addresses);
    facts.linksChanged();
    const { deviceRouteSourceAddress, deviceRouteSourceAddressIPv6 } = settings;
    if (!deviceRouteSourceAddress && !deviceRouteSourceAddressIPv6) return;
    if (readRoutes().faults.join() === faults.join()) return;
    onRestartDue("the source of the node's routes to its pods has become an address of it, or none");
  });
  onStop(() => interfaces.close());
  // Before anything of them is in the kernel, which may refuse what they ask for until they are set right.
  followed.watch(settings, (now, changed) => {
    void observability.apply(now);
    const due = changed.filter((name) => anyParameters[name].effect === 'restart');
    if (due.length > 0) {
      onRestartDue(`${due.join(', ')} changed`);
      return;
    }
    // Compares all of the table, and writes what the settings make of it now.
    nftables.reconfigure(tableOptions(now, families));
    felix.reapply();
  });
  felix.start();
  await unlessEnded(felix.inSync);
  await takeOver(kernelTables, log);
  upkeep.look();

  // Pods outlast the lack of a tunnel, and keep the size that they began with.
  const tunnelled = [...tunnels, ...missing].map(({ family }) => family);
  const mtu = podMtu(addresses, tunnelled, settings, rtnetlink.links());
  const links = new PodLinks(rtnetlink, ownNamespace(), {
    routes,
    onOpened: (link) => hostLinks.opened(link),
  });
  const network = new CalicoNetwork({
    node: options.node,
    datastore,
    ipam,
    links,
    agent: felix,
    ...(keepsConnections && { forgetConnections }),
    isGuarded: (interfaceName) => isDispatched(kernelTables, interfaceName),
    mtu,
    mtuFile: options.paths.mtu,
    nodenameFile: options.paths.nodename,
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
  // Before any pod is set up: the network requires them.
  const failure = 'Cannot write a file that other programs read';
  void untilDone(() => writeFacts(options, mtu), { log, signal, failure });
  onStop(() => server.close());
  // Where there is no room for its socket, what policies ask for is enforced all the same.
  const unheard = 'Cannot listen for the CNI plugin, so that no pod is added here';
  await unlessEnded(untilDone(() => server.listen(), { log, signal, failure: unheard }));
  await whenPossible(
    () => reportNetwork(datastore, options.node),
    'Cannot tell the cluster that this node is ready',
  );
  log.info(
    { node: options.node, mtu, addresses: [...addresses.values()].map(({ address }) => address) },
    'Ready',
  );
}

/** How long an agent that stops waits for connections to remember: the next one need not let them forget everything then. */
const settleMs = 1000;

/** Not those of pods and overlays, which are of pools that there are already. */
function ownNetworks(rtnetlink: Rtnetlink): Cidr[] {
  const others = new Set(
    rtnetlink
      .links()
      .filter(isForOthers)
      .map(({ index }) => index),
  );
  return rtnetlink
    .addresses()
    .filter(({ link }) => !others.has(link))
    .map(({ address, prefixLength }) => cidrOf(parseAddress(address), prefixLength));
}

/** Goes on all the same: what is needed of it the kernel refuses by itself, and what is not may be spared. */
function warnOfKernel(log: Logger): void {
  for (const { name, option } of lackingFeatures())
    log.error(`The kernel lacks ${name}, and refuses what takes it: use a kernel with ${option}`);
}

function warnOfIpip({ defaultPools }: NodeOptions, log: Logger): void {
  const pool = defaultPools.find(({ ipipMode }) => ipipMode !== 'Never');
  if (!pool) return;
  log.warn(
    `CALICO_IPV4POOL_IPIP asks for IP-in-IP, which is not programmed: pods of ${pool.name} on different nodes will not reach each other. Use CALICO_IPV4POOL_VXLAN, or BGP without an overlay`,
  );
}

/** Those that an earlier pod has left would let pass what nobody has judged for the pod that has its address now. */
function forgetConnections(addresses: readonly string[]): void {
  using conntrack = Conntrack.open();
  conntrack.deleteOf(new Set(addresses));
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
  const { status, metadata } = await datastore.get(nodes, { name: node });
  const internalIps = (status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' ? [address] : [],
  );
  const found = new Map<Family, NodeAddress>();
  for (const [family, wanted, method, annotation] of [
    [4, ip, ipMethod, nodeAnnotations.ipv4Address],
    [6, ip6, ip6Method, nodeAnnotations.ipv6Address],
  ] as const) {
    const internalIp =
      internalIps.find((address) => address.includes(':') === (family === 6)) ??
      // An object that does not say it any more has an agent start that said it before.
      metadata.annotations?.[annotation]?.split('/')[0];
    const request = { namespace: ownNamespace(), family, wanted, method, internalIp };
    const address = await detectAddress(rtnetlink, request);
    if (address) found.set(family, address);
  }
  return found;
}

function overlayOptions(
  own: NodeAddress,
  { family, address: tunnelAddress, mac }: Tunnel,
  settings: FelixSettings,
) {
  return {
    family,
    nodeAddress: own.address,
    tunnelAddress,
    mac,
    parent: own.link.index,
    mtu: overlayMtu(family, own, settings),
    vni: settings.vxlanVNI,
    port: settings.vxlanPort,
    keepsRoutes: !settings.routeSyncDisabled,
  };
}
