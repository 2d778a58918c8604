// One round: hostile objects come before agents that run, some of which are killed and start among them. Pods are served all the
// while, nobody dies but whom we kill, and when all is sound again each node reaches the others.
import assert from 'node:assert/strict';
import { closeNamespace, openNamespace, Rtnetlink } from '../../src/kernel/index.ts';
import { namespacePrefix } from '../../src/lab/run/run.ts';
import { logOf, takePod, until } from '../../test/node/agent-at-work.ts';
import type { Random } from '../random.ts';
import type { Agents } from './agents.ts';
import type { HostileObjects } from './hostile-objects.ts';

const othersPerRound = 12;
const calicoRoutes = 80;

/** Returns how many objects were planted. @throws Error with the objects when something does not hold */
export async function runHostileRound(
  agents: Agents,
  hostile: HostileObjects,
  random: Random,
  round: number,
): Promise<number> {
  const planted = await hostile.plant(0.7, othersPerRound);
  const before = agents.restarts;
  const at = new Map(agents.nodes.map((node) => [node, logOf(agents, node).length]));
  let killed = 0;
  const killSome = () => {
    for (const node of agents.nodes) {
      if (agents.pidOf(node) === undefined || !random.chance(0.4)) continue;
      agents.kill(node);
      killed++;
    }
  };
  const serve = async (when: string) => {
    for (const node of agents.nodes) {
      const name = `pod-${round}-${when}-${node}`;
      await takePod(agents, node, name);
      agents.removePodNamespace(name);
      assert.equal(agents.restarts, before + killed, 'nobody dies whom nobody killed');
    }
  };
  const log = () => agents.nodes.map((node) => logOf(agents, node).slice(at.get(node))).join('\n');
  try {
    await serve('running');
    killSome();
    await serve('killed');
    await hostile.restore();
    await serve('sound');
    await until(() => agents.nodes.every((node) => reachesOthers(agents, node)), 'ways to all nodes', log);
  } catch (error) {
    const objects = planted.map(({ object }) => JSON.stringify(object).slice(0, 900)).join('\n');
    throw new Error(`Round ${round}: ${error instanceof Error ? error.stack : error}\n${objects}\n${log()}`);
  }
  return planted.length;
}

/** Whether it has its tunnel, by the port of a cluster that says nothing of it, and a route through it to each other node. */
function reachesOthers(agents: Agents, node: string): boolean {
  const namespace = openNamespace(`/run/netns/${namespacePrefix(agents.run.id)}.${node}`);
  try {
    using rtnetlink = Rtnetlink.open({ namespace });
    const device = rtnetlink.link('vxlan.calico');
    const ways = rtnetlink
      .routes()
      .filter(({ protocol, link, via }) => protocol === calicoRoutes && via && link === device?.index);
    const peers = new Set(ways.map(({ via }) => via));
    return device?.vxlan?.port === 4789 && peers.size === agents.nodes.length - 1;
  } finally {
    closeNamespace(namespace);
  }
}
