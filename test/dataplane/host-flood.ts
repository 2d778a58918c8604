// A flood by a node with host endpoints, to it and from it: see flood.ts. What it is asked before it is routed and what it is asked
// behind changes places.
import type { Cluster } from '../../src/policy/index.ts';
import type { GlobalNetworkPolicy, GlobalNetworkSet, PolicyRule } from '../../src/resources/index.ts';
import { type FloodPlain, other, type Scenario } from './flood.ts';
import {
  addressOf,
  allow,
  deny,
  type FlowEnds,
  globalPolicy,
  type HostLab,
  hostEndpoint,
  type Place,
} from './host-lab.ts';
import { networkSet } from './network-set.ts';

type Policy = Partial<GlobalNetworkPolicy['spec']>;

/** Friends come from outside, foes from behind the node; what the node itself sends is foul by its port. */
const floodFlows: readonly FlowEnds[] = [
  { from: 'outside', to: 'node-1', port: 80 },
  { from: 'outside', to: 'behind', port: 80 },
  { from: 'node-1', to: 'behind', port: 80 },
  { from: 'behind', to: 'node-1', port: 80 },
  { from: 'behind', to: 'outside', port: 80 },
  { from: 'node-1', to: 'behind', port: 81 },
];
const foul = 81;
const isFriendly = (lane: string) => !lane.startsWith('behind') && !lane.includes(`udp/${foul}`);

const nets = (place: Place) => [`${addressOf[place][4]}/32`, `${addressOf[place][6]}/128`];
const elsewhere = ['192.0.2.0/24'];
const udp = { protocol: 'UDP' } as const;
const ofFriends: PolicyRule['source'] = { selector: 'friends == "yes"' };
const ofFoes: PolicyRule['source'] = { selector: 'foes == "yes"' };
const inwards = { applyOnForward: true, types: ['Ingress'] } satisfies Policy;
const outwards = { types: ['Egress'] } satisfies Policy;
const untracked = { applyOnForward: true, doNotTrack: true } satisfies Policy;

const waysIn: readonly Policy[] = [
  { ...inwards, ingress: [deny({ ...udp, source: ofFoes }), allow()] },
  { ...inwards, ingress: [allow({ source: { notSelector: 'foes == "yes"' } })] },
  { ...inwards, ingress: [allow({ ...udp, source: ofFriends }), deny(udp), allow()] },
  { ...inwards, ...untracked, ingress: [deny({ source: ofFoes })] },
  { ...inwards, ...untracked, ingress: [allow({ ...udp, source: ofFriends }), deny({ source: ofFoes })] },
  { ...inwards, ...untracked, ingress: [deny({ ...udp, source: { notSelector: 'friends == "yes"' } })] },
  { ...inwards, ...untracked, ingress: [deny({ ...udp, source: { nets: nets('behind') } })] },
  { ...inwards, preDNAT: true, ingress: [deny({ source: ofFoes })] },
  { ...inwards, preDNAT: true, ingress: [allow({ ...udp, source: ofFriends }), deny(udp)] },
];

const to = (port: number) => ({ ...udp, destination: { ports: [port] } });
const waysOut: readonly Policy[] = [
  { ...outwards, egress: [deny(to(foul)), allow()] },
  { ...outwards, egress: [allow({ ...udp, destination: { notPorts: [foul] } })] },
  { ...outwards, ...untracked, egress: [deny(to(foul))] },
  { ...outwards, ...untracked, egress: [allow(to(80)), deny(udp)] },
];

/** Networks of friends and of foes, more than those who are here. */
const groups: readonly (readonly string[])[] = [[], elsewhere, ['172.30.0.96/30'], ['10.9.0.2/31']];
const networksOf = (place: 'outside' | 'behind', group: number) =>
  // A set keeps whom it is about, and no other who is here.
  [...nets(place), ...(groups[group] ?? [])].filter(
    (net) =>
      !(net.startsWith('172.30') && place === 'behind') && !(net.startsWith('10.9') && place === 'outside'),
  );

const set = (name: string, networks: readonly string[]) => networkSet(name, { [name]: 'yes' }, networks);

const profiles = ['projectcalico-default-allow'];
const hostEndpoints = [
  hostEndpoint('zero', { interfaceName: 'eth0', profiles }),
  hostEndpoint('one', { interfaceName: 'eth1', profiles }),
];

function cluster(
  policies: Readonly<Record<string, Policy>>,
  networkSets: GlobalNetworkSet[],
): Partial<Cluster> {
  const globalPolicies = Object.entries(policies).map(([name, spec]) => globalPolicy(name, spec));
  return { hostEndpoints, globalPolicies, networkSets };
}

/** One policy says the same at one stage after the other. */
function stagesScenario(): Scenario<Partial<Cluster>> {
  let shape = { in: 0, out: 0, friends: 0, foes: 0 };
  const now = () =>
    cluster({ in: waysIn[shape.in] ?? {}, out: waysOut[shape.out] ?? {} }, [
      set('friends', networksOf('outside', shape.friends)),
      set('foes', networksOf('behind', shape.foes)),
    ]);
  return {
    first: now(),
    next: (random) => {
      const kind = random();
      if (kind < 0.5) shape = { ...shape, in: other(random, waysIn.length, shape.in) };
      else if (kind < 0.8) shape = { ...shape, out: other(random, waysOut.length, shape.out) };
      else if (kind < 0.9) shape = { ...shape, friends: other(random, groups.length, shape.friends) };
      else shape = { ...shape, foes: other(random, groups.length, shape.foes) };
      return now();
    },
    isFriendly,
  };
}

/**
 * Policies of two stages share sets: who is in one of these is judged without a connection, and who is not, afterwards; by policies
 * before translation, or by those that are asked behind it.
 */
function sharedSetsScenario(afterwards: 'preDNAT' | 'routed'): Scenario<Partial<Cluster>> {
  const policies: Record<string, Policy> = {
    early: {
      ...inwards,
      ...untracked,
      ingress: [
        deny({ source: { selector: 'banned == "yes"' } }),
        allow({ ...udp, source: { selector: 'spared == "yes"' } }),
      ],
    },
    late: {
      ...inwards,
      ...(afterwards === 'preDNAT' && { preDNAT: true }),
      ingress: [
        deny({ ...udp, source: { ...ofFoes, notSelector: 'banned == "yes"' } }),
        deny({ ...udp, source: { selector: 'spared == "yes"' } }),
        allow(),
      ],
    },
    earlyOut: {
      ...outwards,
      ...untracked,
      egress: [
        deny({ ...udp, destination: { ports: [foul], selector: 'reached == "yes"' } }),
        allow({ ...udp, destination: { ports: [80], selector: 'reached == "yes"' } }),
      ],
    },
    lateOut: {
      ...outwards,
      egress: [
        deny({ ...udp, destination: { ports: [foul], notSelector: 'reached == "yes"' } }),
        deny({ ...udp, destination: { ports: [80], selector: 'reached == "yes"' } }),
        allow(),
      ],
    },
  };
  let shape = { banned: false, spared: false, reached: false };
  const now = () =>
    cluster(policies, [
      set('foes', nets('behind')),
      set('banned', shape.banned ? nets('behind') : elsewhere),
      set('spared', shape.spared ? nets('outside') : elsewhere),
      set('reached', shape.reached ? nets('behind') : elsewhere),
    ]);
  return {
    first: now(),
    next: (random) => {
      const kind = random();
      if (kind < 0.4) shape = { ...shape, banned: !shape.banned };
      else if (kind < 0.7) shape = { ...shape, spared: !shape.spared };
      else shape = { ...shape, reached: !shape.reached };
      return now();
    },
    isFriendly,
  };
}

export const hostScenarios = {
  'policies of host endpoints': stagesScenario,
  'sets that two of their stages share': () => sharedSetsScenario('routed'),
  'sets that two of their stages share before translation': () => sharedSetsScenario('preDNAT'),
};

export function hostPlain(lab: HostLab): FloodPlain<Partial<Cluster>> {
  return {
    // The other one has no host endpoints, and nobody floods by it.
    nodes: [lab.node(1)],
    become: (objects) => lab.become(objects),
    startFlood: () => lab.startFlood(floodFlows),
    stopFlood: () => lab.stopFlood(),
  };
}
