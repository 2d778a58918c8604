// One round: a crowd of ADDs and DELs on all nodes while agents are killed, then quiet, garbage collection, and judgement.
import assert from 'node:assert/strict';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { auditIpam, GarbageCollector, readSnapshot } from '../../src/ipam/index.ts';
import type { Random } from '../random.ts';
import { type Agents, namespace, network, type Sandbox } from './agents.ts';
import type { Runtime } from './runtime.ts';

export interface RoundOptions {
  readonly operations: number;
  readonly kills: number;
  /** Operations at once. */
  readonly width: number;
  /** Pods that are to run in the long run. */
  readonly level: number;
}

/** Returns how many pieces of garbage there were. @throws AssertionError when an address was given twice or lost */
export async function runRound(
  agents: Agents,
  runtime: Runtime,
  random: Random,
  { operations, kills, width, level }: RoundOptions,
): Promise<number> {
  const armed = new Set<string>();
  const every = Math.ceil(operations / (kills + 1));
  await runtime.work({ operations, width, level }, (begun) => {
    if (begun % every !== 0 || begun === operations) return;
    const node = random.pick(agents.nodes);
    if (random.chance(0.5)) {
      agents.kill(node);
    } else {
      armed.add(node);
      agents.killAfter(node, random.between(1, 60));
    }
  });
  // Those with points left would die when all should be quiet.
  for (const node of armed) agents.kill(node);

  for (const node of agents.nodes) {
    const valid = [...runtime.running.values()].filter((sandbox) => sandbox.node === node);
    const [anybody] = runtime.running.values();
    assert.ok(anybody);
    await agents.collectGarbage(node, valid, anybody);
    await agents.deletionsDone(node);
  }
  const collected = await sweep(agents);
  await judge(agents, runtime);
  return collected;
}

async function sweep({ datastore }: Agents): Promise<number> {
  const collector = new GarbageCollector(datastore, { graceMs: 0 });
  for (let total = 0, sweeps = 0; ; sweeps++) {
    const { collected, failures } = await collector.sweep();
    assert.deepEqual(failures, []);
    total += collected;
    if (collected === 0) return total;
    assert.ok(sweeps < 5, 'The garbage collector finds something new in every sweep');
  }
}

async function judge(agents: Agents, runtime: Runtime): Promise<void> {
  const { allocations, blocksOutsidePools, ...findings } = auditIpam(await readSnapshot(agents.datastore));
  for (const [what, found] of Object.entries(findings)) assert.deepEqual(found, [], what);
  assert.deepEqual(blocksOutsidePools, []);
  const handleOf = ({ containerId }: Sandbox) => `${network}.${containerId}`;
  const held = runtime.held.entries().map(([address, pod]) => {
    const sandbox = runtime.running.get(pod);
    assert.ok(sandbox, `"${pod}" holds ${address} and does not run`);
    return `${address} ${handleOf(sandbox)}`;
  });
  const tunnels = allocations.filter(({ attributes }) => attributes.type !== undefined);
  assert.equal(tunnels.length, agents.nodes.length * 2, 'every node has one tunnel address of each family');
  const assigned = allocations
    .filter((allocation) => !tunnels.includes(allocation))
    .map(({ address, handle }) => `${address} ${handle}`);
  assert.deepEqual(assigned.toSorted(), held.toSorted(), 'blocks do not assign what pods hold');
  const links = [...runtime.running.values()].map(
    ({ node, pod }) => `${node} ${interfaceNameOf(namespace, pod.metadata.name)}`,
  );
  const present = agents.nodes.flatMap((node) => agents.podLinks(node).map((link) => `${node} ${link}`));
  assert.deepEqual(present.toSorted(), links.toSorted(), 'nodes do not have the links of the pods that run');
  for (const [name, sandbox] of runtime.running) {
    const own = runtime.held.entries().flatMap(([address, pod]) => (pod === name ? [address] : []));
    assert.deepEqual(agents.kernelAddresses(sandbox).toSorted(), own.toSorted(), `addresses of "${name}"`);
  }
}
