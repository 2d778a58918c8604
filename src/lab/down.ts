// `calico-lab down`: asks the supervisor to take its cluster down; where it cannot any more, removes what it left.
import { askControl } from './control.ts';
import { leftovers, removeAbandonedRuns, removeRun } from './run/cleanup.ts';
import { endProcesses } from './run/processes.ts';
import { findRun } from './run/run.ts';
import { paint, say } from './terminal.ts';

/** 0 when nothing of the cluster is left, which is also so when there was none. */
export async function down(id: string): Promise<number> {
  const abandoned = await removeAbandonedRuns();
  for (const other of abandoned) say(`Removed what an interrupted run left of cluster "${other}"`);
  const run = findRun(id);
  if (run) {
    try {
      await askControl(run, 'stop', {});
    } catch (error) {
      // A supervisor that does not answer is ended like any process of its run.
      say(
        `${paint('yellow', '!')} The supervisor did not answer (${(error as Error).message}); removing the cluster without it`,
      );
    }
    // A supervisor that has answered is about to end; one that has not is made to.
    await endProcesses([run.owner], 2_000);
    if (findRun(id)) await removeRun(run);
    say(`Cluster "${id}" is gone`);
  } else if (!abandoned.includes(id)) say(`There is no cluster "${id}"`);
  const left = leftovers(id);
  for (const thing of left) say(`${paint('red', '✗')} left behind: ${thing}`);
  return left.length === 0 ? 0 : 1;
}
