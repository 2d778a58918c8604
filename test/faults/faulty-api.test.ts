// The API server of a cluster of real programs fails, in every way that agents must live through: they go on enforcing, and are
// in sync again without having been started anew. Torture does the same for longer.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { familyProbed } from '../../src/lab/prober/families.ts';
import { type ApiFaultName, FaultyApi, nodesOfLab } from './faulty-api.ts';
import { hostileObject } from './hostile-objects.ts';
import { seeded } from './seeded.ts';

describe('an API server that fails', () => {
  let faulty: FaultyApi;
  let holdings: readonly string[];
  before(async () => {
    faulty = await FaultyApi.start(`test-api-${process.pid}`);
    holdings = await faulty.killed.holdings();
  });
  after(() => faulty?.stop());

  for (const [name, ms] of [
    ['stopped', 1_500],
    ['slow', 500],
    ['error 500', 500],
    ['error 429 with patience', 500],
    ['error 410', 500],
    ['half a document', 500],
  ] as const satisfies readonly (readonly [ApiFaultName, number])[]) {
    test(`(${name}) opens nothing, cuts nothing, and is followed again as soon as it is well`, async (t) => {
      const { permitted, forbidden, convergedMs, met } = await faulty.endure(name, ms);
      for (const { name: flow, arrived, sent } of forbidden) assert.equal(arrived, 0, `${flow}: of ${sent}`);
      for (const { name: flow, arrived, sent } of permitted) assert.equal(arrived, sent, flow);
      assert.deepEqual(faulty.killed.held.speak(), []);
      t.diagnostic(
        `${name === 'stopped' ? 'uncounted' : met} requests met it; in sync ${Math.round(convergedMs)} ms after its end`,
      );
    });
  }

  test('and that holds objects which no validation would let in is followed all the same', async (t) => {
    const random = seeded(20261125);
    // The lab's kubelet would want to run hostile pods, and has nothing to do with what is tested here.
    const objects = Array.from({ length: 80 }, (_, n) => hostileObject(n, random)).filter(
      ({ kind }) => kind.kind !== 'Pod',
    );
    const { forbidden, convergedMs } = await faulty.harbour(objects);
    for (const { name, arrived, sent } of forbidden) assert.equal(arrived, 0, `${name}: of ${sent}`);
    // Kinds come back one after another, and the policy that was waited for is of one of them.
    assert.deepEqual(await faulty.killed.differences(holdings), []);
    for (const { name, arrived, sent } of (await faulty.killed.flood(async () => {})).permitted)
      assert.equal(arrived, sent, name);
    t.diagnostic(
      `a policy amidst ${objects.length} of them is in force ${Math.round(convergedMs)} ms after the start`,
    );
  });

  test('(empty) is believed, which opens nothing; and when the store is back, so is everything else', async () => {
    const hasForgotten = (node: string) => !faulty.killed.enforces(node, 'deny-all');
    const { permitted, forbidden } = await faulty.endure('empty', 0, () => nodesOfLab.every(hasForgotten));
    for (const { name, arrived, sent } of forbidden) assert.equal(arrived, 0, `${name}: of ${sent}`);
    for (const lanes of Map.groupBy(permitted, ({ name }) => familyProbed(name)).values()) {
      assert.ok(
        lanes.some(({ arrived, sent }) => arrived < sent),
        `pods that the API server does not know any more pass nothing: ${lanes.map(({ name }) => name)}`,
      );
    }
    assert.deepEqual(await faulty.killed.differences(holdings), []);
    for (const { name, arrived, sent } of (await faulty.killed.flood(async () => {})).permitted)
      assert.equal(arrived, sent, name);
  });
});
