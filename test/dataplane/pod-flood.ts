// A flood between pods of two nodes: see flood.ts.
import assert from 'node:assert/strict';
import type { Cluster } from '../../src/policy/index.ts';
import type { GlobalNetworkPolicy, PolicyRule } from '../../src/resources/index.ts';
import { type FloodPlain, other, type Scenario } from './flood.ts';
import type { KernelCluster } from './kernel-cluster.ts';
import { networkSet } from './network-set.ts';
import { policyCases } from './policy-cases.ts';

const free = policyCases[0]?.[1] as Cluster;
const receiver = 1;
/** One of each on each of the two nodes. */
const friends = [0, 3];
const foes = [2, 5];
const port = 80;
const families = [4, 6] as const;

function roleOf(index: number): string {
  if (index === receiver) return 'host';
  return friends.includes(index) ? 'friend' : 'foe';
}

const pods = free.pods.map((pod, index) => ({
  ...pod,
  metadata: {
    ...pod.metadata,
    // As seen from the receiver.
    labels: { role: roleOf(index), place: index % 2 === receiver % 2 ? 'here' : 'there' },
  },
}));

const allow = (source: PolicyRule['source'], more: Partial<PolicyRule> = {}): PolicyRule => ({
  action: 'Allow',
  ...(source && { source }),
  ...more,
});

/** What the receiver lets in. Each way permits friends to speak to it, and nobody else; foes are let go to it by all but the last. */
const ways: readonly (readonly PolicyRule[])[] = [
  [allow({ selector: 'role == "friend"' }, { protocol: 'UDP', destination: { ports: [port] } })],
  [{ action: 'Deny', source: { selector: 'role == "foe"' } }, allow(undefined)],
  [allow({ notSelector: 'role == "foe"' })],
  [allow({ nets: ['10.1.0.1/32', '10.1.0.4/32'] }), allow({ nets: ['fd00:1::1/128', 'fd00:1::4/128'] })],
  [allow({ selector: 'group == "friends"' })],
  [{ action: 'Deny', source: { notSelector: 'group == "friends"' } }, allow(undefined)],
  [{ action: 'Pass', source: { selector: 'role in {"friend", "nobody"}' } }],
  [
    { action: 'Log' },
    allow({ selector: 'has(role) && role != "foe"' }, { destination: { notPorts: ['web'] } }),
  ],
  [allow({ selector: 'has(listed)', notSelector: 'has(blocked)' })],
  // The foe that is here is held back where it goes out, and let in: half of this way and half of another would let it through.
  [{ action: 'Deny', source: { selector: 'role == "foe" && place == "there"' } }, allow(undefined)],
];
const heldBack = ways.length - 1;

/** The networks of the set with the label group=friends: friends in all of them, foes in none. */
const groups: readonly (readonly string[])[] = [
  ['10.1.0.1', '10.1.0.4', 'fd00:1::1', 'fd00:1::4'],
  ['10.1.0.0/31', '10.1.0.4/31', 'fd00:1::/127', 'fd00:1::4/127'],
  ['10.1.0.1/32', '10.1.0.4/31', 'fd00:1::/127', 'fd00:1::4', '192.0.2.0/24'],
];

/** The networks of a set that is listed and blocked at once, so that foes are in both or in neither; the others make its change a long one. */
const blocked: readonly (readonly string[])[] = [
  ['192.0.2.0/24'],
  [
    '10.1.0.2/31',
    '10.1.0.6/31',
    'fd00:1::2/127',
    'fd00:1::6/127',
    ...Array.from({ length: 250 }, (_, n) => [`172.16.${n}.0/25`, `fd77:${n.toString(16)}::/48`]).flat(),
  ],
];

/** Which of each a cluster has. */
interface Shape {
  readonly way: number;
  readonly group: number;
  readonly blocked: number;
}

function clusterOf(shape: Shape): Cluster {
  const policy: GlobalNetworkPolicy = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'flood' },
    spec: {
      selector: 'role in {"host", "foe"}',
      types: ['Ingress', 'Egress'],
      ingress: [...(ways[shape.way] ?? [])],
      egress: [
        ...(shape.way === heldBack
          ? [{ action: 'Deny', source: { selector: 'role == "foe" && place == "here"' } } as const]
          : []),
        { action: 'Allow' },
      ],
    },
  };
  const networkSets = [
    networkSet('friends', { group: 'friends' }, groups[shape.group]),
    networkSet('listed', { listed: 'yes' }, groups[1]),
    networkSet('blocked', { listed: 'yes', blocked: 'yes' }, blocked[shape.blocked]),
  ];
  return { ...free, pods, networkPolicies: [], globalPolicies: [policy], networkSets };
}

/** Every call begins anew. */
export function podScenario(): Scenario<Cluster> {
  let shape: Shape = { way: 0, group: 0, blocked: 0 };
  return {
    first: clusterOf(shape),
    next: (random) => {
      const kind = random();
      const isTurn = kind < 0.3 && shape.way !== heldBack;
      if (isTurn) shape = { ...shape, way: heldBack };
      else if (kind < 0.6) shape = { ...shape, way: other(random, ways.length, shape.way) };
      else if (kind < 0.8) shape = { ...shape, group: other(random, groups.length, shape.group) };
      else shape = { ...shape, blocked: other(random, blocked.length, shape.blocked) };
      return clusterOf(shape);
    },
    isFriendly: (lane) => friends.some((index) => lane.startsWith(`${index}/`)),
  };
}

export function podPlain(kernel: KernelCluster): FloodPlain<Cluster> {
  const flows = [...friends, ...foes].map((from) => ({ from, to: receiver, port }));
  return {
    nodes: kernel.nodes,
    become: (cluster) => kernel.become(cluster),
    startFlood: async () => {
      await kernel.listen();
      for (const family of families) await kernel.startStream(family, flows);
    },
    stopFlood: async () => {
      const lanes = (await Promise.all(families.map((family) => kernel.stopStream(family)))).flat();
      assert.ok(lanes.length >= families.length * flows.length);
      return lanes;
    },
  };
}
