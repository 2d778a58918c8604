// Objects that a real agent reads at its start, left in the store past every validation: its own Node, and those named "default".
// It starts with what is sound of them, takes pods, and says what it could not read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { misfit, nodes } from '../../src/resources/index.ts';
import { Agents } from '../../torture/agents/agents.ts';
import { HostileObjects } from '../../torture/agents/hostile-objects.ts';
import { runHostileRound } from '../../torture/agents/hostile-round.ts';
import { Random } from '../../torture/random.ts';
import { seeded } from '../faults/seeded.ts';
import { logOf, takePod, until } from './agent-at-work.ts';

const seed = Number(process.env.CALICO_SEED ?? 20261127);
const rounds = 8;
const node = 'node-1';
const pools = { four: { cidr: '10.78.0.0/24', blockSize: 26, vxlanMode: 'Always' } } as const;

test('no object that it reads at its start keeps an agent from starting', { timeout: 240_000 }, async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const id = `test-hostile-start-${process.pid}`;
  const agents = await Agents.start({ id, nodes: 1, pools, families: [4] });
  const log = () => logOf(agents, node);
  try {
    const hostile = new HostileObjects(agents, seeded(seed));
    await hostile.remember();
    for (let round = 0; round < rounds; round++) {
      const at = log().length;
      const planted = await hostile.plant(1, 0);
      agents.kill(node);
      const words = () =>
        `${planted.map(({ object }) => JSON.stringify(object).slice(0, 900)).join('\n')}\n${log()}`;
      await takePod(agents, node, `pod-${round}`).catch((error) => {
        throw new Error(`seed ${seed}, round ${round}: ${error}\n${words()}`);
      });
      assert.equal(agents.restarts, round + 1, words());
      const own = planted.find(({ kind }) => kind.kind === nodes.kind);
      if (!own || misfit(nodes, own.object) === undefined) continue;
      const said = () => log().slice(at).includes(`Node \\"${node}\\" is not what it should be`);
      await until(said, 'the Node to be named', words);
    }
    await hostile.restore();
    agents.kill(node);
    await takePod(agents, node, 'after');
    assert.equal(agents.restarts, rounds + 1);
  } finally {
    await agents.stop();
  }
});

test('objects that become hostile under running agents kill none, and all ways are there when they are sound again', {
  timeout: 240_000,
}, async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = new Random(seed);
  const id = `test-hostile-run-${process.pid}`;
  const agents = await Agents.start({ id, nodes: 2, pools, families: [4] });
  try {
    const hostile = new HostileObjects(agents, () => random.next());
    await hostile.remember();
    for (let round = 0; round < 4; round++) await runHostileRound(agents, hostile, random, round);
  } finally {
    await agents.stop();
  }
});
