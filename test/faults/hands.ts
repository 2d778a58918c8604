// Other programs' hands on one node, in a seeded order and at seeded moments, one or two at once: each is looked for by what the kernel
// shows, against what it showed before. Used by the short selection in the tests and by the long loop of torture.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { readSysctl, writeSysctls } from '../../src/kernel/index.ts';
import { families } from '../../src/lab/prober/families.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import type { Family } from '../../src/net/index.ts';
import { type OneNode, plan } from './one-node.ts';

type Hand = (node: OneNode) => unknown;

/** What only a table that anyone may change suffers. */
const onTable: Readonly<Record<string, Hand>> = {
  'nft flush ruleset': (node) => node.nftBeside('flush', 'ruleset'),
  'table deleted': (node) => node.nftBeside('delete', 'table', 'inet', 'calico'),
  'chain flushed': (node) => node.nftBeside('flush', 'chain', 'inet', 'calico', 'cali-forward-ingress'),
  'map flushed': (node) => node.nftBeside('flush', 'map', 'inet', 'calico', 'cali-to-wl-dispatch'),
};

/** What there is to spoil, of either family. */
export const ways = {
  4: {
    ...waysIn(4),
    elsewhere: '198.51.100.0/24',
    tunnel: 'vxlan.calico',
    forwarding: 'net/ipv4/ip_forward',
  },
  6: {
    ...waysIn(6),
    elsewhere: '2001:db8:9::/64',
    tunnel: 'vxlan-v6.calico',
    forwarding: 'net/ipv6/conf/all/forwarding',
  },
} as const;

function waysIn(family: Family) {
  const { pod, node, tunnel, tunnelMac, blocks } = plan[family];
  const [ownBlock, otherBlock] = blocks;
  const otherTunnel = { address: tunnel(2), mac: tunnelMac(2), node: node(2) };
  return { pod: pod(2), ownBlock, otherBlock, otherTunnel };
}

const onWays: Readonly<Record<string, Hand>> = {
  "pod's link down": (node) => node.ip('link', 'set', node.linkOf('b'), 'down'),
  "pod's link renamed": (node) => node.ip('link', 'set', node.linkOf('c'), 'name', 'harmless0'),
  ...onWaysOf(4),
  ...onWaysOf(6),
};

function onWaysOf(family: Family): Record<string, Hand> {
  const { pod, elsewhere, ownBlock, otherBlock, tunnel, otherTunnel, forwarding } = ways[family];
  const { address, mac, node: otherNode } = otherTunnel;
  const hands: Readonly<Record<string, Hand>> = {
    "pod's route deleted": (node) => node.ip('route', 'del', pod),
    "pod's neighbour deleted": (node) => node.ip('neigh', 'del', pod, 'dev', node.linkOf('b')),
    "route over a pod's link": (node) => node.ip('route', 'add', elsewhere, 'dev', node.linkOf('b')),
    'route to a block deleted': (node) => node.ip('route', 'del', otherBlock),
    'blackhole deleted': (node) => node.ip('route', 'del', 'blackhole', ownBlock),
    'forwarding entry deleted': (node) => node.fdb('del', mac, 'dev', tunnel, 'dst', otherNode),
    'tunnel neighbour deleted': (node) => node.ip('neigh', 'del', address, 'dev', tunnel),
    'tunnel down': (node) => node.ip('link', 'set', tunnel, 'down'),
    'tunnel deleted': (node) => node.ip('link', 'del', tunnel),
    'tunnel renamed': (node) => node.ip('link', 'set', tunnel, 'name', `y${family}`),
    'forwarding switched off': (node) => writeSysctls(node.namespace, { [forwarding]: 0 }),
  };
  return Object.fromEntries(Object.entries(hands).map(([name, hand]) => [`IPv${family}: ${name}`, hand]));
}

/** What opens the node until it is set right: rules know pods' links by their names. */
const opening = new Set([...Object.keys(onTable), "pod's link renamed"]);

export interface HandsRound {
  readonly hands: readonly string[];
  /** From the first hand until the kernel showed again what it had shown before. */
  readonly repairedMs: number;
  /** While hands were at work. */
  readonly meanwhile: { readonly permitted: LaneReport[]; readonly forbidden: LaneReport[] };
  /** When all was set right. */
  readonly afterwards: { readonly permitted: LaneReport[]; readonly forbidden: LaneReport[] };
  /** Whether the hands opened the node, so that what is forbidden may pass meanwhile. */
  readonly isOpening: boolean;
}

const deadlineMs = 60_000;
const lookMs = 5;

/** `random` gives numbers from 0 up to 1. @throws Error when something is not set right in a minute */
export async function handsRound(
  node: OneNode,
  random: () => number,
  { isOwned }: { readonly isOwned: boolean },
): Promise<HandsRound> {
  const all = { ...onWays, ...(!isOwned && onTable) };
  const names = Object.keys(all);
  const pick = () => names[Math.floor(random() * names.length)] ?? assert.fail();
  const hands = [pick(), ...(random() < 0.4 ? [pick()] : [])];
  const before = await shown(node);
  let repairedMs = 0;
  const meanwhile = await node.flood(async () => {
    await delay(random() * 30);
    const begun = performance.now();
    for (const [index, name] of hands.entries()) {
      if (index > 0) await delay(random() * 10);
      try {
        await all[name]?.(node);
      } catch (error) {
        // What the first hand took away the second does not find.
        if (index === 0) throw error;
      }
    }
    for (let now = ''; now !== before; await delay(lookMs)) {
      now = await shown(node);
      repairedMs = performance.now() - begun;
      if (repairedMs > deadlineMs)
        assert.equal(now, before, `${hands.join(', then ')} was not set right in ${deadlineMs} ms`);
    }
  });
  const afterwards = await node.flood(() => delay(20));
  return { hands, repairedMs, meanwhile, afterwards, isOpening: hands.some((name) => opening.has(name)) };
}

/** What is ours in the node's kernel, but for numbers of interfaces. */
async function shown(node: OneNode): Promise<string> {
  const withoutPeers = (text: string) => text.replace(/@\S+|<.*>/g, '');
  const tunnels = families.map((family) => ` dev ${ways[family].tunnel} `);
  const lines = [
    withoutPeers(node.ip('-br', 'link', 'show')),
    withoutPeers(node.ip('-br', 'address', 'show')),
    node.ip('-4', 'route', 'show'),
    node.ip('-6', 'route', 'show'),
    node.ip('neigh', 'show', 'nud', 'permanent'),
    ...node
      .fdb('show')
      .split('\n')
      .filter((entry) => tunnels.some((tunnel) => entry.includes(tunnel))),
    ...families.map((family) => {
      const { forwarding } = ways[family];
      return `${forwarding} ${readSysctl(node.namespace, forwarding)}`;
    }),
    `table ${(await node.dataplane.auditTable()) ?? 'as it should be'}`,
  ];
  return lines
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim())
    .sort()
    .join('\n');
}
