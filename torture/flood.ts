// `npm run torture -- flood [--rounds N] [--minutes N] [--seed S]`: floods of probes through changes of policy, 500 of them
// unless told otherwise: between pods, and by a node with host endpoints. Friends must always get through and foes never,
// whichever of two states a packet meets.
import { type FloodPlain, flood, type Scenario } from '../test/dataplane/flood.ts';
import { hostPlain, sharedSetsScenario, stagesScenario } from '../test/dataplane/host-flood.ts';
import { HostLab } from '../test/dataplane/host-lab.ts';
import { KernelCluster } from '../test/dataplane/kernel-cluster.ts';
import { podPlain, podScenario } from '../test/dataplane/pod-flood.ts';
import { seeded } from '../test/faults/seeded.ts';
import type { TortureOptions } from './options.ts';

export async function run(options: TortureOptions): Promise<boolean> {
  const kernel = await KernelCluster.make('flood');
  let isRight: boolean;
  try {
    isRight = await report('pods', podPlain(kernel), podScenario(), options);
  } finally {
    await kernel.remove();
  }
  for (const [name, scenario] of [
    ['stages', stagesScenario],
    ['shared sets', sharedSetsScenario],
  ] as const) {
    if (options.isOver()) break;
    const lab = await HostLab.make('hflood');
    try {
      isRight = (await report(name, hostPlain(lab), scenario(), options)) && isRight;
    } finally {
      await lab.remove();
    }
  }
  return isRight;
}

async function report<Cluster>(
  name: string,
  plain: FloodPlain<Cluster>,
  scenario: Scenario<Cluster>,
  { isOver, rounds, seed }: TortureOptions,
): Promise<boolean> {
  const changes = Number.isFinite(rounds) ? rounds : 500;
  const settings = { changes, replaced: 0.2, random: seeded(seed), isOver };
  const { probes, wrong, done } = await flood(plain, scenario, settings);
  for (const lane of wrong) console.log(`flood: ${lane}`);
  console.log(`flood of ${name}: ${done} changes, ${probes} probes, ${wrong.length} lanes judged wrongly`);
  return wrong.length === 0;
}
