// `npm run torture -- flood [--rounds N] [--minutes N] [--seed S]`: floods of probes through changes of policy, 500 of them
// unless told otherwise: between pods, and by a node with host endpoints, half of them where packets take their time between our
// chains. Friends must always get through and foes never, whichever of two states a packet meets.
import { type FloodPlain, flood, type Scenario } from '../test/dataplane/flood.ts';
import { hostPlain, hostScenarios } from '../test/dataplane/host-flood.ts';
import { HostLab } from '../test/dataplane/host-lab.ts';
import { KernelCluster } from '../test/dataplane/kernel-cluster.ts';
import { podPlain, podScenario } from '../test/dataplane/pod-flood.ts';
import { seeded } from '../test/faults/seeded.ts';
import type { TortureOptions } from './options.ts';

/** See slow-chains.ts. */
const slowness = 5;

export async function run(options: TortureOptions): Promise<boolean> {
  let isRight = true;
  for (const pace of [undefined, slowness]) isRight = (await floods(pace, options)) && isRight;
  return isRight;
}

async function floods(pace: number | undefined, options: TortureOptions): Promise<boolean> {
  const kernel = await KernelCluster.make('flood');
  let isRight: boolean;
  try {
    isRight = await report('pods', podPlain(kernel), podScenario(), pace, options);
  } finally {
    await kernel.remove();
  }
  for (const [name, scenario] of Object.entries(hostScenarios)) {
    if (options.isOver()) break;
    const lab = await HostLab.make('hflood');
    try {
      isRight = (await report(name, hostPlain(lab), scenario(), pace, options)) && isRight;
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
  pace: number | undefined,
  { isOver, rounds, seed }: TortureOptions,
): Promise<boolean> {
  const changes = Number.isFinite(rounds) ? rounds : 500;
  const slow = pace === undefined ? {} : { slowness: pace };
  const { probes, wrong, done } = await flood(plain, scenario, {
    changes,
    replaced: 0.2,
    random: seeded(seed),
    isOver,
    ...slow,
  });
  for (const lane of wrong) console.log(`flood: ${lane}`);
  const judged = `${done} changes, ${probes} probes, ${wrong.length} lanes judged wrongly`;
  console.log(
    `flood of ${name}${pace === undefined ? '' : ', slowed down'}: ${done === 0 ? 'no time was left for a change' : judged}`,
  );
  return wrong.length === 0;
}
