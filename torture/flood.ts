// `npm run torture -- flood [--rounds N] [--minutes N] [--seed S]`: a flood of probes through changes of policy, 500 of them
// unless told otherwise. Friends must always get through and foes never, whichever of two states a packet meets.
import { flood } from '../test/dataplane/flood.ts';
import { KernelCluster } from '../test/dataplane/kernel-cluster.ts';
import { seeded } from '../test/faults/seeded.ts';
import type { TortureOptions } from './options.ts';

export async function run({ isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const changes = Number.isFinite(rounds) ? rounds : 500;
  const kernel = await KernelCluster.make('flood');
  try {
    const { probes, wrong, done } = await flood(kernel, {
      changes,
      replaced: 0.2,
      random: seeded(seed),
      isOver,
    });
    for (const lane of wrong) console.log(`flood: ${lane}`);
    console.log(`flood: ${done} changes, ${probes} probes, ${wrong.length} lanes judged wrongly`);
    return wrong.length === 0;
  } finally {
    await kernel.remove();
  }
}
