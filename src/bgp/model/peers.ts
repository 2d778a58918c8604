// The sessions of one node: those of the mesh, and those that BGPPeers ask for, from either side.
import { type Address, type Family, formatAddress, tryParseAddress } from '../../net/index.ts';
import { workloadEndpointOf } from '../../policy/index.ts';
import type { BGPPeer, Pod } from '../../resources/index.ts';
import { all, matches, parseSelector, type Selector } from '../../selector/index.ts';
import { parseAsNumber } from './as-number.ts';
import type { Fault, Filter, Peer, PeerKind } from './bgp-model.ts';
import type { NodeFacts } from './node-facts.ts';
import type { Passwords } from './passwords.ts';
import { peerPlaceOf } from './peer-place.ts';
import { secondsOf } from './seconds.ts';
import { type BgpSettings, defaultPort, defaultRestartSeconds, isWithin } from './settings.ts';

export interface PeersInput {
  readonly self: NodeFacts;
  readonly nodes: readonly NodeFacts[];
  readonly settings: BgpSettings;
  readonly resources: Iterable<BGPPeer>;
  /** Undefined under the name of one that is at fault. */
  readonly filters: ReadonlyMap<string, Filter | undefined>;
  readonly passwords: Passwords;
  readonly pods: Iterable<Pod>;
  readonly report: (fault: Fault) => void;
}

/** Where a session goes. */
interface Remote {
  readonly address: Address;
  readonly port: number;
  readonly asNumber: number;
  /** Present when the peer is a node of the cluster. */
  readonly node?: NodeFacts;
}

/** Sorted by name; one for each address, that of the most particular BGPPeer. */
export function peersOf(input: PeersInput): Peer[] {
  const found = new Map<string, Peer>();
  const resources = [...input.resources].sort(
    (a, b) => rank(a) - rank(b) || (a.metadata.name < b.metadata.name ? -1 : 1),
  );
  for (const resource of resources) {
    const report = (sentence: string) =>
      input.report({ object: `BGPPeer "${resource.metadata.name}"`, sentence });
    for (const peer of sessionsOf(resource, input, report)) {
      const place = `${peer.address} ${peer.port}`;
      const first = found.get(place);
      if (first === undefined) found.set(place, peer);
      else if (first.resource !== peer.resource) {
        report(`the session with ${peer.address} is already that of BGPPeer "${first.resource}"`);
      }
    }
  }
  for (const peer of meshOf(input)) {
    const place = `${peer.address} ${peer.port}`;
    if (!found.has(place)) found.set(place, peer);
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A BGPPeer for one node goes before one for some, and that before one for all. */
function rank({ spec }: BGPPeer): number {
  if (spec.node) return 0;
  return spec.nodeSelector ? 1 : 2;
}

function meshOf({ self, nodes, settings, passwords, report }: PeersInput): Peer[] {
  if (settings.nodeToNodeMeshEnabled === false || self.reflector) return [];
  const secret = passwords.find(settings.nodeMeshPassword);
  if ('fault' in secret) {
    report({ object: 'BGPConfiguration "default"', sentence: `${secret.fault}; the mesh is not set up` });
    return [];
  }
  const restartSeconds = secondsOf(settings.nodeMeshMaxRestartTime ?? '') ?? defaultRestartSeconds;
  return nodes
    .filter((node) => node.name !== self.name && !node.reflector)
    .flatMap((node) => remotesOf(node))
    .flatMap((remote) => {
      const peer = session('Mesh', remote, self, settings);
      // Both sides know of each other: one of them connects, and there is nothing to resolve.
      const isPassive = remote.address.value > (self.addresses.get(remote.address.family)?.value ?? 0n);
      return peer ? [{ ...peer, ...secret, restartSeconds, isPassive }] : [];
    });
}

function sessionsOf(resource: BGPPeer, input: PeersInput, report: (sentence: string) => void): Peer[] {
  const { self, nodes, settings } = input;
  const { spec } = resource;
  let selectors: Record<'nodeSelector' | 'peerSelector' | 'localWorkloadSelector', Selector | undefined>;
  try {
    selectors = {
      nodeSelector: spec.nodeSelector ? parseSelector(spec.nodeSelector) : undefined,
      peerSelector: spec.peerSelector ? parseSelector(spec.peerSelector) : undefined,
      localWorkloadSelector: spec.localWorkloadSelector
        ? parseSelector(spec.localWorkloadSelector)
        : undefined,
    };
  } catch (error) {
    report(`${error instanceof Error ? error.message : error}; it is not set up`);
    return [];
  }
  const { nodeSelector = all, peerSelector, localWorkloadSelector } = selectors;
  const isOurs = (node: NodeFacts) =>
    spec.node ? node.name === spec.node : matches(nodeSelector, node.labels);
  if (spec.node && !nodes.some(({ name }) => name === spec.node)) {
    report(`there is no node "${spec.node}"`);
    return [];
  }
  const others = nodes.filter(({ name }) => name !== self.name);
  let remotes: Remote[] = [];
  if (localWorkloadSelector) {
    if (isOurs(self)) remotes = workloadsOf(localWorkloadSelector, resource, input, report);
  } else if (peerSelector) {
    const chosen = isOurs(self) ? others.filter(({ labels }) => matches(peerSelector, labels)) : [];
    const isReversed = spec.reversePeering !== 'Manual' && matches(peerSelector, self.labels);
    const choosing = isReversed ? others.filter(isOurs) : [];
    remotes = [...new Set([...chosen, ...choosing])].flatMap(remotesOf);
  } else if (isOurs(self)) {
    const remote = statedRemote(resource, nodes, report);
    if (remote) remotes = [remote];
  }
  const kind: PeerKind = localWorkloadSelector
    ? 'Local_Workload'
    : spec.node || spec.nodeSelector
      ? 'Node'
      : 'Global';
  const wished = remotes.length > 0 ? wishesOf(resource, input, report) : undefined;
  if (!wished) return [];
  return remotes.flatMap((remote) => {
    // A global peer may be one of the nodes that peer with it.
    if (self.addresses.get(remote.address.family)?.value === remote.address.value) return [];
    const peer = session(kind, remote, self, settings, wished.localAsNumber);
    if (!peer) {
      report(
        `its peer ${formatAddress(remote.address)} is out of reach: node "${self.name}" has no IPv${remote.address.family} address`,
      );
      return [];
    }
    const reflects = self.reflector && peer.asNumber === peer.localAsNumber;
    const isEqual = remote.node?.reflector && remote.node.reflector.clusterId === self.reflector?.clusterId;
    return [
      {
        ...sessionFrom(resource, peer, settings),
        ...wished,
        resource: resource.metadata.name,
        ...(reflects && !isEqual && { reflection: self.reflector }),
      },
    ];
  });
}

/** What is the same for every session of a BGPPeer; undefined when none can be set up. */
function wishesOf(
  { spec }: BGPPeer,
  { filters, passwords, self }: PeersInput,
  report: (sentence: string) => void,
) {
  const secret = passwords.find(spec.password);
  if ('fault' in secret) {
    report(`${secret.fault}; it is not set up`);
    return undefined;
  }
  const localAsNumber = spec.localASNumber === undefined ? self.asNumber : parseAsNumber(spec.localASNumber);
  if (localAsNumber === undefined) {
    report(`spec.localASNumber: ${spec.localASNumber} is not an AS number; it is not set up`);
    return undefined;
  }
  for (const field of ['ttlSecurity', 'numAllowedLocalASNumbers'] as const) {
    if (spec[field] === undefined || isWithin(spec[field], 0, 255)) continue;
    report(`spec.${field}: ${spec[field]} is not from 0 to 255; it is not set up`);
    return undefined;
  }
  const times = { keepaliveTime: spec.keepaliveTime, maxRestartTime: spec.maxRestartTime };
  const wrong = Object.entries(times).find(([, text]) => text !== undefined && secondsOf(text) === undefined);
  if (wrong) report(`spec.${wrong[0]}: "${wrong[1]}" is not a duration; the default stands in for it`);
  const keepaliveSeconds = secondsOf(spec.keepaliveTime ?? '');
  const names = spec.filters ?? [];
  const broken = names.filter((name) => filters.get(name) === undefined);
  for (const name of broken) {
    report(
      `its filter "${name}" ${filters.has(name) ? 'is at fault' : 'does not exist'}; no route passes its sessions`,
    );
  }
  return {
    ...secret,
    localAsNumber,
    nextHop: spec.nextHopMode ?? (spec.keepOriginalNextHop ? ('Keep' as const) : ('Auto' as const)),
    restartSeconds: secondsOf(spec.maxRestartTime ?? '') ?? defaultRestartSeconds,
    ...(keepaliveSeconds !== undefined && { keepaliveSeconds }),
    ...(spec.ttlSecurity !== undefined && { ttlHops: spec.ttlSecurity }),
    ...(spec.numAllowedLocalASNumbers && { allowedLocalAs: spec.numAllowedLocalASNumbers }),
    filters: broken.length > 0 ? ('closed' as const) : names,
  };
}

/** The session, leaving from where the BGPPeer says. Listening at the node's address alone needs one, whatever it says. */
function sessionFrom({ spec }: BGPPeer, peer: Peer, settings: BgpSettings): Peer {
  const heardAt = peer.family === 4 ? settings.localWorkloadPeeringIPV4 : settings.localWorkloadPeeringIPV6;
  if (peer.kind === 'Local_Workload') return heardAt ? { ...peer, sourceAddress: heardAt } : peer;
  if (spec.sourceAddress !== 'None' || settings.bindMode === 'NodeIP') return peer;
  const { sourceAddress: _none, ...free } = peer;
  return free;
}

function statedRemote(
  { spec }: BGPPeer,
  nodes: readonly NodeFacts[],
  report: (sentence: string) => void,
): Remote | undefined {
  const place = peerPlaceOf(spec.peerIP ?? '');
  if (!place) {
    report(spec.peerIP ? `spec.peerIP: "${spec.peerIP}" is not an address` : 'it names no peer');
    return undefined;
  }
  const node = nodes.find(
    ({ addresses }) => addresses.get(place.address.family)?.value === place.address.value,
  );
  const asNumber = spec.asNumber === undefined ? node?.asNumber : parseAsNumber(spec.asNumber);
  if (asNumber === undefined) {
    report(
      `spec.asNumber: ${spec.asNumber ?? 'nothing'} is not an AS number, from 1 to 4294967295; it is not set up`,
    );
    return undefined;
  }
  return { address: place.address, port: place.port ?? defaultPort, asNumber, ...(node && { node }) };
}

function workloadsOf(
  selector: Selector,
  { spec }: BGPPeer,
  { pods, self, settings }: PeersInput,
  report: (sentence: string) => void,
): Remote[] {
  const asNumber = spec.asNumber === undefined ? undefined : parseAsNumber(spec.asNumber);
  if (asNumber === undefined) {
    report('it selects workloads and says no AS number for them; it is not set up');
    return [];
  }
  const remotes = [...pods].flatMap((pod) => {
    const workload = pod.spec?.nodeName === self.name ? workloadEndpointOf(pod) : undefined;
    if (!workload || !matches(selector, workload.labels)) return [];
    return workload.addresses.flatMap((text) => {
      const address = tryParseAddress(text);
      return address ? [{ address, port: defaultPort, asNumber }] : [];
    });
  });
  const heard = { 4: settings.localWorkloadPeeringIPV4, 6: settings.localWorkloadPeeringIPV6 };
  if (remotes.some(({ address }) => !heard[address.family])) {
    report(
      'its workloads have no address of the node to speak with: BGPConfiguration has no localWorkloadPeeringIPV4 or IPV6 for them',
    );
  }
  return remotes.filter(({ address }) => heard[address.family]);
}

function remotesOf(node: NodeFacts): Remote[] {
  return [...node.addresses.values()].map((address) => ({
    address,
    port: node.listenPort,
    asNumber: node.asNumber,
    node,
  }));
}

/** A session as it is when nobody wishes anything; undefined when the node has no address of that family. */
function session(
  kind: PeerKind,
  { address, port, asNumber }: Remote,
  self: NodeFacts,
  settings: BgpSettings,
  localAsNumber: number = self.asNumber,
): Peer | undefined {
  const own = self.addresses.get(address.family);
  if (!own) return undefined;
  const text = formatAddress(address);
  const suffix = port === defaultPort || kind === 'Mesh' ? '' : `_port_${port}`;
  return {
    name: `${kind}_${text.replaceAll(/[.:]/g, '_')}${suffix}`,
    kind,
    family: address.family,
    address: text,
    port,
    asNumber,
    localAsNumber,
    listenPort: self.listenPort,
    sourceAddress: formatAddress(own),
    isBound: settings.bindMode === 'NodeIP',
    isPassive: false,
    nextHop: 'Auto',
    restartSeconds: defaultRestartSeconds,
    filters: [],
  };
}

/** Ways to peers through gateways, per family: what `reachableBy` says of the sessions that there are. */
export function gatewaysOf(
  peers: readonly Peer[],
  resources: Iterable<BGPPeer>,
  report: (fault: Fault) => void,
): Record<Family, { destination: string; via: string }[]> {
  const ways: Record<Family, { destination: string; via: string }[]> = { 4: [], 6: [] };
  const byName = new Map([...resources].map((resource) => [resource.metadata.name, resource]));
  for (const { resource: name, family, address } of peers) {
    const text = name === undefined ? undefined : byName.get(name)?.spec.reachableBy;
    if (!text) continue;
    const gateway = tryParseAddress(text);
    if (gateway?.family === family) {
      ways[family].push({
        destination: `${address}/${family === 4 ? 32 : 128}`,
        via: formatAddress(gateway),
      });
    } else {
      report({
        object: `BGPPeer "${name}"`,
        sentence: `spec.reachableBy: "${text}" is not an IPv${family} address; it is left out`,
      });
    }
  }
  return ways;
}
