// Random clusters, one after another, in the kernels of three nodes whose agents live through all of them: what passes is what the
// evaluator says should. Pods, nodes, a machine beside them and one behind them, all to all; with host endpoints of every sort.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { AgentCluster } from './agents/agent-cluster.ts';
import { arbitraryPlacedCluster } from './agents/arbitrary-placed-cluster.ts';
import { examine } from './agents/examine.ts';
import { Waves } from './agents/wave.ts';

const seed = Number(process.env.CALICO_TEST_SEED ?? 20261123);
const count = Number(process.env.CALICO_TEST_CLUSTERS ?? 60);

describe('the kernels of real agents', () => {
  let agents: AgentCluster;
  let waves: Waves;
  before(async () => {
    agents = await AgentCluster.start(`ct-${process.pid}-random`);
    waves = new Waves((place) => agents.pathOf(place));
  });
  after(async () => {
    waves?.[Symbol.dispose]();
    await agents?.stop();
  });
  const asked = { packets: 0, denied: 0, left: 0 };

  for (const [index, cluster] of fc.sample(arbitraryPlacedCluster, { seed, numRuns: count }).entries()) {
    test(`agree with the evaluator on every packet of random cluster ${index} of seed ${seed}`, async () => {
      const { packets, denied, left, difference } = await examine(agents, waves, cluster);
      assert.equal(difference, undefined, JSON.stringify(cluster));
      asked.packets += packets;
      asked.denied += denied;
      asked.left += left;
    });
  }

  test('were asked about enough packets to mean something', (t) => {
    t.diagnostic(JSON.stringify(asked));
    assert.ok(asked.packets > count * 1000, JSON.stringify(asked));
    assert.ok(asked.denied > asked.packets / 20 && asked.denied < (asked.packets * 19) / 20);
    // Those that verdicts.ts leaves out.
    assert.ok(asked.left < asked.packets / 50);
  });
});
