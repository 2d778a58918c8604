// From objects to what BIRD shall do: a pure function of its input, whatever the order in which that came.
import { createHash } from 'node:crypto';
import { type Family, formatAddress } from '../../net/index.ts';
import type { BgpInput, Misfit } from './bgp-input.ts';
import type { BgpModel, FamilyModel, Fault, LogSeverity } from './bgp-model.ts';
import { communitiesOf } from './communities.ts';
import { filterOf } from './filters.ts';
import { factsOf, type NodeFacts } from './node-facts.ts';
import { Passwords } from './passwords.ts';
import { gatewaysOf, peersOf } from './peers.ts';
import { blocksOf, poolsOf } from './ranges.ts';
import { exclusionLabel, serviceRoutes } from './services.ts';
import { defaultPriority, SettingsOf, soundSettings } from './settings.ts';

export interface BgpOutcome {
  /** Undefined while the node itself is not known, or has no address. */
  readonly model: BgpModel | undefined;
  /** Sorted; each once. */
  readonly faults: readonly Fault[];
}

export function modelOf(input: BgpInput): BgpOutcome {
  const faults = new Map<string, Fault>();
  const report = (fault: Fault) => faults.set(`${fault.object}: ${fault.sentence}`, fault);
  const done = (model: BgpModel | undefined): BgpOutcome => ({
    model,
    faults: [...faults].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fault]) => fault),
  });
  const misfits = [...(input.misfits ?? [])];
  for (const misfit of misfits) report(misfitFault(misfit));
  // Whether there is a mesh, and with which password, is not to be guessed.
  const decisive = ['default', `node.${input.node}`];
  if (misfits.some(({ kind, key }) => kind === 'BGPConfiguration' && decisive.includes(key)))
    return done(undefined);
  const settingsOf = new SettingsOf(input.configurations);
  const nodes = [...input.nodes].map((node) => factsOf(node, settingsOf, report));
  const self = nodes.find(({ name }) => name === input.node);
  if (!self || self.addresses.size === 0) return done(undefined);

  const complain = (sentence: string) => report({ object: 'BGPConfiguration "default"', sentence });
  const settings = soundSettings(settingsOf.node(input.node), complain);
  const filters = new Map(
    [...input.filters].map((filter) => [filter.metadata.name, filterOf(filter, report)]),
  );
  for (const { kind, key } of misfits) if (kind === 'BGPFilter') filters.set(key, undefined);
  const resources = [...input.peers];
  const peers = peersOf({
    self,
    nodes,
    settings,
    resources,
    filters,
    passwords: new Passwords(input.secrets, input.namespace),
    pods: input.pods,
    report,
  });
  const gateways = gatewaysOf(peers, resources, report);
  const pools = poolsOf(input.pools, settings, report);
  const areAllPoolsKnown = !misfits.some(({ kind }) => kind === 'IPPool');
  const blocks = blocksOf(input.node, input.affinities, pools, areAllPoolsKnown);
  const communities = communitiesOf(settings, complain);
  const services = serviceRoutes(
    {
      node: input.node,
      isExcluded: self.labels.has(exclusionLabel),
      settings,
      services: input.services,
      endpointSlices: input.endpointSlices,
    },
    complain,
  );
  const isOf = (family: Family) => (entry: { readonly cidr: string }) =>
    entry.cidr.includes(':') === (family === 6);
  const familyModel = (family: Family, address: string): FamilyModel => ({
    family,
    address,
    priority:
      (family === 4 ? settings.ipv4NormalRoutePriority : settings.ipv6NormalRoutePriority) ?? defaultPriority,
    blocks: blocks.filter(isOf(family)).map(({ cidr, isExported }) => ({ cidr, isExported })),
    pools: pools
      .filter(isOf(family))
      .map(({ cidr, isExported, isProgrammed }) => ({ cidr, isExported, isProgrammed })),
    services: services[family],
    gateways: gateways[family],
    communities: communities.filter(isOf(family)),
  });
  const used = new Set(peers.flatMap((peer) => (peer.filters === 'closed' ? [] : peer.filters)));
  return done({
    routerId: routerIdOf(self),
    logSeverity: severityOf(settings.logSeverityScreen),
    ignoredInterfaces: (settings.ignoredInterfaces ?? []).filter((pattern) => {
      const isUsable = /^[a-zA-Z0-9_.*-]{1,15}$/.test(pattern);
      if (!isUsable)
        complain(`spec.ignoredInterfaces: "${pattern}" is not the name of an interface; it is left out`);
      return isUsable;
    }),
    families: ([4, 6] as const).flatMap((family) => {
      const address = self.addresses.get(family);
      return address ? [familyModel(family, formatAddress(address))] : [];
    }),
    peers,
    filters: [...filters.values()]
      .flatMap((filter) => (filter && used.has(filter.name) ? [filter] : []))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  });
}

function misfitFault({ kind, key, fault }: Misfit): Fault {
  const object = `${kind} "${key}"`;
  const outcome: Record<string, string> = {
    BGPConfiguration: 'until it can be read BIRD keeps its configuration',
    BGPFilter: 'no route passes sessions that use it',
    BGPPeer: 'it is not set up',
    IPPool: 'blocks that lie in no other pool are not told of',
  };
  return { object, sentence: `${fault}; ${outcome[kind] ?? 'it is passed over'}` };
}

/** The node's IPv4 address; where it has none, a number that is always the same for its name. */
function routerIdOf(self: NodeFacts): string {
  const address = self.addresses.get(4);
  if (address) return formatAddress(address);
  const digest = createHash('sha256').update(self.name).digest();
  // Not a number of 0.0.0.0/8 or above 223: to some routers those are no addresses.
  return [1 + ((digest[0] ?? 0) % 223), ...digest.subarray(1, 4)].join('.');
}

function severityOf(text: string | undefined): LogSeverity {
  const known = ['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'] as const;
  return known.find((severity) => severity.toLowerCase() === text?.toLowerCase()) ?? 'Info';
}
