// When the container runtime and the cluster are told that a node has a network: when calico-node can give one, and not before. What
// an earlier calico-node told of a node is taken back when the node was started anew.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Node, nodes } from '../../src/resources/index.ts';
import { Agents } from '../../torture/agents/agents.ts';
import { logOf, takePod, until } from './agent-at-work.ts';

const node = 'node-1';
const waiting = 'Cannot start without the API server';

test('a network is offered when there is one', { timeout: 240_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'calico-offer-'));
  const offer = join(folder, '10-calico.conflist');
  const agents = await Agents.start({
    id: `test-offer-${process.pid}`,
    nodes: 1,
    pools: { four: { cidr: '10.79.0.0/24', blockSize: 26, vxlanMode: 'Always' } },
    families: [4],
    environment: { CALICO_MANAGE_CNI: 'true', CNI_NET_DIR: folder },
  });
  const log = () => logOf(agents, node);
  /** Of the condition NetworkUnavailable. */
  const statusOf = ({ status }: Node) =>
    status?.conditions?.find(({ type }) => type === 'NetworkUnavailable')?.status;
  const saying = async () => statusOf(await agents.datastore.get(nodes, { name: node }));
  const untilSaying = async (expected: string) => {
    while ((await saying()) !== expected) await delay(20);
  };
  const offered = () => until(() => existsSync(offer), 'an offer', log);
  /** Starts the agent while nobody serves the cluster's objects: it gets as far as it can without. */
  const startWithoutApi = async (look: () => void) =>
    agents.restartApi(async () => {
      const at = log().length;
      agents.startAgent(node);
      await until(() => log().slice(at).includes(waiting), 'a start that waits', log);
      look();
    });
  try {
    await t.test('by an agent that is ready', async () => {
      await offered();
      assert.equal(await saying(), 'False');
      await takePod(agents, node, 'first');
    });
    await t.test(
      'pods go elsewhere while there is no agent; the runtime keeps its configuration',
      async () => {
        await agents.stopAgent(node);
        assert.equal(await saying(), 'True');
        assert.ok(existsSync(offer));
      },
    );
    await t.test('an agent that comes back leaves what its predecessor offered', async () => {
      await startWithoutApi(() => assert.ok(existsSync(offer)));
      await untilSaying('False');
      assert.ok(existsSync(offer));
    });
    await t.test('after a new start of the node there is no network until its agent is ready', async () => {
      agents.kill(node);
      await agents.stopAgent(node);
      assert.equal(await saying(), 'False');
      agents.onNode(node)(() => execFileSync('nft', ['flush', 'ruleset']));
      await startWithoutApi(() => assert.ok(!existsSync(offer), 'there is no network yet'));
      const said: (string | undefined)[] = [];
      const follower = agents.datastore.follow(nodes, {
        onUpsert: (object) => statusOf(object) !== said.at(-1) && said.push(statusOf(object)),
        onDelete: () => {},
        onInSync: () => {},
      });
      await offered();
      await until(() => said.length > 1 && said.at(-1) === 'False', 'a node with a network', log);
      follower.stop();
      assert.deepEqual(said.slice(-2), ['True', 'False']);
      await takePod(agents, node, 'last');
    });
  } finally {
    await agents.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
