// calico-node killed at seeded moments and counted points, in a cluster of real programs: what is forbidden stays
// forbidden, what is permitted stays possible, and nothing is left over. Torture runs many more rounds of the same.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KilledCluster, moments } from './killed-cluster.ts';
import { seeded } from './seeded.ts';

const rounds = moments.length;
/** The gate's own moments are always the same; torture searches others. */
const seed = Number(process.env.CALICO_SEED ?? 20261123);

describe('an agent that is killed', () => {
  let killed: KilledCluster;
  before(async () => {
    killed = await KilledCluster.start(`test-kill-${process.pid}`);
  });
  after(() => killed?.stop());

  test('takes no connection with it, opens nothing, and leaves nothing behind', {
    timeout: 300_000,
  }, async (t) => {
    t.diagnostic(`seed ${seed} (CALICO_SEED)`);
    const random = seeded(seed);
    const before = await killed.holdings();
    const { permitted, forbidden } = await killed.flood(async () => {
      for (let round = 0; round < rounds; round++) {
        const moment = moments[round % moments.length] ?? 'any';
        await killed.kill(`node-${1 + (round % 2)}`, moment, random());
      }
    });
    for (const { name, arrived, sent } of forbidden)
      assert.equal(arrived, 0, `${name}: ${arrived} of ${sent}`);
    for (const { name, arrived, sent, longestLossMs } of permitted) {
      assert.equal(arrived, sent, `${name}: ${arrived} of ${sent}`);
      assert.equal(longestLossMs, 0, `${name} was refused for ${longestLossMs} ms`);
    }
    assert.deepEqual(killed.held.speak(), []);
    assert.deepEqual(await killed.differences(before), []);
    const probes = [...permitted, ...forbidden].reduce((sum, { sent }) => sum + sent, 0);
    t.diagnostic(
      `${rounds} rounds, ${probes} probes, recovered in ${killed.recoveriesMs.map(Math.round).join(', ')} ms`,
    );
  });
});
