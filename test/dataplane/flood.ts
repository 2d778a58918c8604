// A flood of probes through changes of policy, and of the whole table. What is permitted is said in many ways that all permit friends and
// forbid foes; one object changes at a time, from one way to another. Whoever is judged by half of one way and half of another
// would show.
import { Transaction } from '../../src/kernel/index.ts';
import type { LaneReport } from '../../src/lab/prober/messages.ts';
import type { KernelNode } from './kernel-cluster.ts';
import { slowDown } from './slow-chains.ts';

/** Gives numbers from 0 up to 1. */
export type Random = () => number;

/** Ways of saying the same. */
export interface Scenario<Cluster> {
  readonly first: Cluster;
  /** Another cluster than the last one, by one object. */
  readonly next: (random: Random) => Cluster;
  /** By its name, whether all probes of a lane have to arrive; none of the others may. */
  readonly isFriendly: (lane: string) => boolean;
}

/** Where packets flow. */
export interface FloodPlain<Cluster> {
  readonly nodes: readonly KernelNode[];
  become(cluster: Cluster): Promise<void>;
  startFlood(): Promise<void>;
  stopFlood(): Promise<readonly LaneReport[]>;
}

export interface FloodReport {
  readonly probes: number;
  /** Changes of policy. */
  readonly done: number;
  /** One sentence per lane that was lost, or that got through. */
  readonly wrong: readonly string[];
}

export interface FloodOptions {
  readonly changes: number;
  /** How many of the changes are followed by a table made from nothing on one of the nodes: 0 to 1. */
  readonly replaced: number;
  readonly random: Random;
  /** How long packets take between our chains: see slow-chains.ts. As they come where absent. */
  readonly slowness?: number;
  /** Ends the flood before all changes are done. */
  readonly isOver?: () => boolean;
}

export async function flood<Cluster>(
  plain: FloodPlain<Cluster>,
  { first, next, isFriendly }: Scenario<Cluster>,
  { changes, replaced, random, slowness, isOver = () => false }: FloodOptions,
): Promise<FloodReport> {
  await plain.become(first);
  if (slowness !== undefined) for (const { nftables } of plain.nodes) slowDown(nftables, slowness);
  await plain.startFlood();
  let done = 0;
  for (; done < changes && !isOver(); done++) {
    await plain.become(next(random));
    if (random() < replaced) await replaceTable(plain.nodes[done % plain.nodes.length]);
    // The flood goes on between two changes: packets meet the state as well as the change.
    await new Promise(setImmediate);
  }
  const lanes = await plain.stopFlood();
  const wrong = lanes.flatMap(({ name, sent, arrived }) =>
    arrived === (isFriendly(name) ? sent : 0) ? [] : [`${name}: ${arrived} of ${sent} arrived`],
  );
  return { probes: lanes.reduce((sum, { sent }) => sum + sent, 0), done, wrong };
}

/** A base chain of no layout of ours leads the dataplane to replace all of its table, as after an upgrade. */
async function replaceTable(node: KernelNode | undefined): Promise<void> {
  if (!node) return;
  const transaction = new Transaction({ family: 'inet', name: 'calico' });
  const hook = { type: 'filter', hook: 'forward', priority: -10, policy: 'accept' } as const;
  transaction.addChain({ name: 'old', hook });
  node.nftables.commit(transaction);
  node.table.distrust();
  node.apply();
  // As the agent does before its next change.
  await node.table.overtaking;
}

/** Another number below `count` than this one. */
export function other(random: Random, count: number, than: number): number {
  return (than + 1 + Math.floor(random() * (count - 1))) % count;
}
