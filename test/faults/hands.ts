// Other programs' hands on one node, in a seeded order and at seeded moments, one or two at once: each is looked for by what the kernel
// shows, against what it showed before. Used by the short selection in the tests and by the long loop of torture.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { readSysctl, writeSysctls } from '../../src/kernel/index.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import type { OneNode } from './one-node.ts';

type Hand = (node: OneNode) => unknown;

const forwarding = 'net/ipv4/ip_forward';

/** What only a table that anyone may change suffers. */
const onTable: Readonly<Record<string, Hand>> = {
  'nft flush ruleset': (node) => node.nftBeside('flush', 'ruleset'),
  'table deleted': (node) => node.nftBeside('delete', 'table', 'inet', 'calico'),
  'chain flushed': (node) => node.nftBeside('flush', 'chain', 'inet', 'calico', 'cali-forward-ingress'),
  'map flushed': (node) => node.nftBeside('flush', 'map', 'inet', 'calico', 'cali-to-wl-dispatch'),
};

const onWays: Readonly<Record<string, Hand>> = {
  "pod's route deleted": (node) => node.ip('route', 'del', '10.1.0.2/32'),
  "pod's neighbour deleted": (node) => node.ip('neigh', 'del', '10.1.0.2', 'dev', node.linkOf('b')),
  "pod's link down": (node) => node.ip('link', 'set', node.linkOf('b'), 'down'),
  "pod's link renamed": (node) => node.ip('link', 'set', node.linkOf('c'), 'name', 'harmless0'),
  "route over a pod's link": (node) => node.ip('route', 'add', '198.51.100.0/24', 'dev', node.linkOf('b')),
  'route to a block deleted': (node) => node.ip('route', 'del', '10.1.0.64/26'),
  'blackhole deleted': (node) => node.ip('route', 'del', 'blackhole', '10.1.0.0/26'),
  'forwarding entry deleted': (node) =>
    node.fdb('del', '66:00:00:00:00:02', 'dev', 'vxlan.calico', 'dst', '172.30.0.12'),
  'tunnel neighbour deleted': (node) => node.ip('neigh', 'del', '10.1.0.42', 'dev', 'vxlan.calico'),
  'tunnel down': (node) => node.ip('link', 'set', 'vxlan.calico', 'down'),
  'tunnel deleted': (node) => node.ip('link', 'del', 'vxlan.calico'),
  'tunnel renamed': (node) => node.ip('link', 'set', 'vxlan.calico', 'name', 'y0'),
  'forwarding switched off': (node) => writeSysctls(node.namespace, { [forwarding]: 0 }),
};

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

const deadlineMs = 10_000;
const lookMs = 5;

/** `random` gives numbers from 0 up to 1. @throws Error when something is not set right in ten seconds */
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
  const links = node.ip('-br', 'link', 'show').replace(/@\S+|<.*>/g, '');
  const lines = [
    ...node.ip('route', 'show').split('\n'),
    ...node.ip('neigh', 'show', 'nud', 'permanent').split('\n'),
    ...links.split('\n'),
    ...(/^vxlan\.calico /m.test(links) ? node.fdb('show', 'dev', 'vxlan.calico').split('\n') : []),
    `forwarding ${readSysctl(node.namespace, forwarding)}`,
    `table ${(await node.dataplane.auditTable()) ?? 'as it should be'}`,
  ];
  return lines
    .map((line) => line.trim())
    .sort()
    .join('\n');
}
