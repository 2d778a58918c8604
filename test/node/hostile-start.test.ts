// Objects that a real agent reads at its start, left in the store past every validation: its own Node, and those named "default".
// It starts with what is sound of them, takes pods, and says what it could not read.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  bgpConfigurations,
  clusterInformations,
  felixConfigurations,
  ipamConfigurations,
  kubeControllersConfigurations,
  misfit,
  nodes,
  type Resource,
  type ResourceKind,
} from '../../src/resources/index.ts';
import { Agents } from '../../torture/agents/agents.ts';
import { type HostileObject, hostileInstead } from '../faults/hostile-objects.ts';
import { networkTemplates } from '../faults/hostile-templates.ts';
import { plantObjects, uprootObjects } from '../faults/planted-objects.ts';
import { seeded } from '../faults/seeded.ts';
import { logOf, takePod, until } from './agent-at-work.ts';

const seed = Number(process.env.CALICO_SEED ?? 20261127);
const rounds = 8;
const node = 'node-1';
const defaults = [
  felixConfigurations,
  ipamConfigurations,
  clusterInformations,
  bgpConfigurations,
  kubeControllersConfigurations,
] as const;

test('no object that it reads at its start keeps an agent from starting', { timeout: 240_000 }, async (t) => {
  t.diagnostic(`seed ${seed} (CALICO_SEED)`);
  const random = seeded(seed);
  const agents = await Agents.start({
    id: `test-hostile-start-${process.pid}`,
    nodes: 1,
    pools: { four: { cidr: '10.78.0.0/24', blockSize: 26, vxlanMode: 'Always' } },
    families: [4],
  });
  const database = join(agents.run.folder, 'api.sqlite');
  const log = () => logOf(agents, node);
  try {
    const sound: HostileObject[] = [];
    const keep = async <T extends Resource>(kind: ResourceKind<T>, name: string) => {
      const made = { apiVersion: 'projectcalico.org/v3', kind: kind.kind, metadata: { name }, spec: {} };
      const object = await agents.datastore.get(kind, { name }).catch(() => made as unknown as T);
      sound.push({ kind: kind as unknown as ResourceKind, object });
    };
    await keep(nodes, node);
    for (const kind of defaults) await keep(kind as unknown as ResourceKind, 'default');
    for (let round = 0; round < rounds; round++) {
      const planted = sound.map(({ kind, object }) => {
        const [, template = {}] = networkTemplates.find(([one]) => one.kind === kind.kind) ?? [];
        return hostileInstead(kind, object, template, random);
      });
      const at = log().length;
      await agents.restartApi(async () => plantObjects(database, planted));
      agents.kill(node);
      const words = () =>
        `${planted.map(({ object }) => JSON.stringify(object).slice(0, 900)).join('\n')}\n${log()}`;
      await takePod(agents, node, `pod-${round}`).catch((error) => {
        throw new Error(`seed ${seed}, round ${round}: ${error}\n${words()}`);
      });
      assert.equal(agents.restarts, round + 1, words());
      const [own] = planted;
      if (!own || misfit(nodes, own.object) === undefined) continue;
      const said = () => log().slice(at).includes(`Node \\"${node}\\" is not what it should be`);
      await until(said, 'the Node to be named', words);
    }
    await agents.restartApi(async () => {
      uprootObjects(database, sound);
      plantObjects(database, sound);
    });
    agents.kill(node);
    await takePod(agents, node, 'after');
    assert.equal(agents.restarts, rounds + 1);
  } finally {
    await agents.stop();
  }
});
