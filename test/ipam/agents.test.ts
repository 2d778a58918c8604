// A short round of what `npm run torture -- agents` does for as long as asked: three real agents that are killed while pods come
// and go; no address twice, none lost, in IPAM and in the kernel.
import { test } from 'node:test';
import { Agents } from '../../torture/agents/agents.ts';
import { runRound } from '../../torture/agents/round.ts';
import { Runtime } from '../../torture/agents/runtime.ts';
import { pools } from '../../torture/agents.ts';
import { Random } from '../../torture/random.ts';

/** The gate's own moments are always the same; torture searches others. */
const seed = Number(process.env.CALICO_SEED ?? 20261125);

test('three agents that are killed give no address twice and lose none', { timeout: 300_000 }, async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = new Random(seed);
  const agents = await Agents.start({ id: `test-agents-${process.pid}`, nodes: 3, pools, families: [4, 6] });
  try {
    const runtime = new Runtime(agents, random);
    await runRound(agents, runtime, random, { operations: 40, kills: 2, width: 8, level: 20 });
    t.diagnostic(JSON.stringify(runtime.counts));
  } finally {
    await agents.stop();
  }
});
